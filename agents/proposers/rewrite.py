"""A language model's change of code: edits of the places where the time goes, applied, checked, and judged like any."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agents import briefing
from agents.answers import RewriteAnswer
from agents.asking import ask
from agents.code.apply import apply_changes
from agents.code.changes import FileChange, Hunk
from agents.code.population import BASE, Population
from agents.code.suspicion import suspicions
from agents.registry import make, proposer
from agents.roles import Case, Kit, Proposer
from core.campaign import Use
from core.errors import RatchetError
from core.records import Proposal
from search.descriptors import code_measures
from search.routing import TaskMeasures, route

__all__ = ["rewrite"]

SHOWN_CHARACTERS = 9000
"""Of code: the functions that take the most time, and the head of their files."""
HEAD_LINES = 30


Operator = Literal["auto", "refinement", "revision", "recombination"]


@dataclass(frozen=True)
class _Task:
    """What the model is asked for: which prompt, of which candidate, and what only this prompt is told."""

    prompt: str
    operator: str
    parents: tuple[str, ...]
    told: dict[str, str] = field(default_factory=dict)


@proposer("rewrite")
def rewrite(operator: Operator = "auto", rules: str = "refine") -> Proposer:
    """A candidate that the model writes: edits of the best one so far, of any file that may be changed.

    refinement improves it, revision takes another approach after the newest refusal, recombination takes over what is
    best in another elite; `auto` takes turns among those that there is something for.  A simple task takes the cheap
    path first (`search.routing`): no model is asked while transformations by rule still bring something.

    An edit names the lines that it replaces; where they stand must be sure.  What does not apply, does not parse,
    changes nothing, was judged before or reaches for the judge is sent back.  Without an answer `rules` propose.
    """
    by_rules: Proposer = make("proposer", Use(use=rules), Path())

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        population = case.population
        if population is None:
            return []
        way = route(_measures(population))
        if way.path == "cheap":
            return []
        task = _task(operator, case, population)
        parent = task.parents[0]
        files = population.files(parent)
        answer, why = await ask(
            kit,
            task.prompt,
            RewriteAnswer,
            lambda told: _faults(told, files, population),
            facts=briefing.facts(case),
            history=briefing.history(case),
            code=_hottest(population, parent, files),
            files="\n".join(path for path in sorted(files) if population.allowed(path)),
            **task.told,
        )
        if answer is None:
            made = await by_rules(case, kit)
            return [
                Proposal.make(
                    **p.model_dump(exclude={"id", "version", "proposer", "rationale"}),
                    proposer="rewrite",
                    rationale=f"{p.rationale} ({p.proposer}: {why})",
                )
                for p in made[:1]
            ]
        after = apply_changes(files, _changes(answer), population.allowed).over(files)
        proposal = case.propose_code(
            "rewrite",
            after,
            briefing.one_line(answer.reason),
            operator=task.operator,
            parents=task.parents,
            parts=population.parts_of(parent),
            source="model",
        )
        return [] if proposal is None else [proposal]

    return propose


def _task(operator: Operator, case: Case, population: Population) -> _Task:
    """By turns of the cycles among what there is something for; what was asked for is taken where it can be."""
    elites = population.elites()
    parent = elites[0].id if elites else BASE
    refused = next((m for m in reversed(list(population.members.values())) if m.score is None and m.patch), None)
    outcomes = {e.proposal.id: e.outcome for e in case.history}
    ways = {"refinement": _Task("proposer/rewrite", "refinement", (parent,))}
    if refused is not None and refused.id in outcomes:
        start = next((p for p in refused.parents if p == BASE or population.score_of(p) is not None), BASE)
        outcome = outcomes[refused.id]
        told = {"refused": population.patch(refused.id), "reason": f"{outcome.cause}: {outcome.reason}"}
        ways["revision"] = _Task("proposer/revise", "revision", (start, refused.id), told)
    if len(elites) > 1:
        told = {"first": population.patch(parent), "other": population.patch(elites[1].id)}
        ways["recombination"] = _Task("proposer/recombine", "recombination", (parent, elites[1].id), told)
    if operator != "auto":
        return ways.get(operator, ways["refinement"])
    return list(ways.values())[case.cycle % len(ways)]


def _measures(population: Population) -> TaskMeasures:
    """The task, and how many candidates by rule came to nothing since the last gain."""
    files = [text for path, text in population.base.items() if population.allowed(path) and path.endswith(".py")]
    found = [code_measures(text) for text in files if not _broken(text)]
    vain = 0
    for member in population.members.values():
        better = member.gain is not None and member.gain > 2 * population.noise
        vain = 0 if better else vain + 1
    return TaskMeasures(
        files=len(files),
        lines=sum(one.lines for one in found),
        hardest=max((one.hardest for one in found), default=0),
        cheap_failures=vain,
    )


def _broken(text: str) -> bool:
    try:
        code_measures(text)
    except ValueError:
        return True
    return False


def _changes(answer: RewriteAnswer) -> list[FileChange]:
    return [
        FileChange(
            path=edit.path,
            action="edit" if edit.search.strip() else "create",
            form="blocks",
            hunks=(Hunk(tuple(edit.search.splitlines()), tuple(edit.replace.splitlines())),)
            if edit.search.strip()
            else (),
            text="" if edit.search.strip() else edit.replace,
        )
        for edit in answer.edits
    ]


def _faults(answer: RewriteAnswer, files: dict[str, str], population: Population) -> list[str]:
    applied = apply_changes(files, _changes(answer), population.allowed)
    faults = [f"{one.path}: {one.reason}" for one in applied.rejected]
    if faults:
        return faults
    if applied.noop:
        return ["nothing is changed but comments or layout"]
    after = applied.over(files)
    faults = [f"not allowed: {one}" for one in suspicions(files, after)]
    try:
        if not faults and population.is_known(after):
            faults = ["exactly this was judged before"]
    except RatchetError as error:
        faults = [error.what]
    return faults


def _hottest(population: Population, candidate: str, files: dict[str, str]) -> str:
    """The functions that take the most time with the heads of their files, as much as fits."""
    found: list[tuple[float, str, str]] = []
    for path, text in files.items():
        if population.allowed(path) and path.endswith(".py"):
            found += [
                (population.heat(candidate, path, name) or 0.0, path, source) for name, source in _functions(text)
            ]
    found.sort(key=lambda one: -one[0])
    told, seen, size = list[str](), set[str](), 0
    for heat, path, source in found:
        head = "" if path in seen else "\n".join(files[path].splitlines()[:HEAD_LINES]) + "\n…\n"
        part = f"# {path} ({heat:.0%} of the time)\n{head}{source}\n"
        if size + len(part) > SHOWN_CHARACTERS:
            continue
        seen.add(path)
        told.append(part)
        size += len(part)
    return "\n".join(told) or "nothing that can be read"


def _functions(text: str) -> list[tuple[str, str]]:
    """Name and source of each function and method of a file that parses."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    lines = text.splitlines()
    return [
        (node.name, "\n".join(lines[_first_line(node) - 1 : node.end_lineno]))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
