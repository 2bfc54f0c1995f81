"""The candidates of a campaign on code so far, as its roles look at them: their files, parts, scores, and success.

A candidate is its base with a patch; the patch is kept by the hash of its content, so that a record of a candidate is
short.  What is known here follows from the finished trials alone, and is brought up to date trial by trial.
"""

from __future__ import annotations

import ast
import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from agents.code.diff import apply_exactly, unified_diff
from agents.code.merge import Merged
from agents.code.paths import allows
from agents.code.transformations.constants import find_constants
from agents.code.transformations.registry import transformations
from core.campaign import CodePlan
from core.errors import ConfigError
from core.ids import content_hash
from core.records import PATCH, Experiment, Outcome, Proposal
from search.bandit import Bandit
from search.descriptors import METRIC, axes, change_size, code_measures
from search.elites import Archive, Candidate

__all__ = ["BASE", "Member", "Patches", "Population", "syntax_key"]

OPERATORS = ("refinement", "revision", "recombination", "tuning", "rewriting")
BASE = "baseline"
"""The name of the base among the parents."""
FILES_KEPT = 64
"""Candidates whose files are held in memory; others are read again."""


class Patches(Protocol):
    """Where patches are kept by the hash of their content."""

    def put(self, content: str) -> str: ...

    def text(self, reference: str) -> str: ...


@dataclass(frozen=True)
class Member:
    """A finished candidate.  `gain`: log(score / the best of its parents'), None when it has no score."""

    id: str
    patch: str
    parts: tuple[str, ...]
    added: tuple[str, ...]
    parents: tuple[str, ...]
    operator: str
    proposer: str
    cycle: int
    score: float | None
    gain: float | None
    cause: str = ""


@dataclass
class Success:
    """Of an operator or a transformation: how often it was tried, passed the judge, and was clearly better."""

    tried: int = 0
    passed: int = 0
    better: int = 0


class Population:
    """`base` are the texts of the files that may change.  `noise`: a gain below it is none (log scale)."""

    def __init__(self, base: Mapping[str, str], plan: CodePlan, patches: Patches) -> None:
        self.base = dict(base)
        self.plan = plan
        self.noise = 0.0
        self.members: dict[str, Member] = {}
        self.by_operator: dict[str, Success] = {}
        self.by_transformation: dict[str, Success] = {}
        self.operators = Bandit(OPERATORS)
        self.transformations = Bandit(list(transformations()))
        self.guilty: dict[str, str] = {}
        """Parts that failed alone, with the reason; they are not offered again."""
        self.useless: set[str] = set()
        """Parts that alone brought nothing."""
        self.merges: dict[tuple[str, str], Merged] = {}
        """What came of merging two candidates: a merge of the same two is the same."""
        self.archive = Archive(*axes(plan.archive))
        self._patches = patches
        self._files: OrderedDict[str, dict[str, str | None]] = OrderedDict()
        self._passed: dict[str, bool] = {self.key({}): True}
        """By the key of what was judged: whether it came through."""
        self._sets: set[frozenset[str]] = set()
        self._profiles: dict[str, dict[str, float]] = {}
        self._constants: dict[str, dict[str, Any]] = {BASE: _constants(self.base)}
        self._seen = 0

    # --------------------------------------------------------------------- told
    def catch_up(self, history: Sequence[Experiment], baseline: float, noise: float) -> None:
        """Take in the trials that are new since the last call; `history` only ever grows at its end."""
        self.noise = noise / baseline if baseline > 0 else 0.0
        for experiment in history[self._seen :]:
            self._take(experiment, baseline)
        self._seen = len(history)

    def tell_profile(self, candidate: str, profile: Mapping[str, float]) -> None:
        """Where a candidate's time goes: `path:function` → share of the time."""
        self._profiles[candidate] = dict(profile)

    def _take(self, experiment: Experiment, baseline: float) -> None:
        proposal, outcome = experiment.proposal, experiment.outcome
        if not proposal.is_trial or not outcome.tells_of_config:
            return
        told = [s for p in proposal.parents if (s := self.score_of(p, baseline)) is not None]
        gain = None
        if experiment.score is not None and experiment.score > 0:
            gain = math.log(experiment.score / max([*told, 1e-9] if told else [baseline]))
        member = Member(
            id=proposal.id,
            patch=str(proposal.config.get(PATCH, "")),
            parts=proposal.parts,
            added=self.added_by(proposal),
            parents=proposal.parents,
            operator=proposal.operator,
            proposer=proposal.proposer,
            cycle=proposal.cycle,
            score=experiment.score,
            gain=gain,
            cause=outcome.cause,
        )
        self.members[member.id] = member
        self._sets.add(frozenset(member.parts))
        self._passed[self.key(self.changed(member.id))] = member.score is not None
        if self._constants[BASE]:
            self._constants[member.id] = _constants(self.files(member.id))
        if profile := outcome.details.get("profile"):
            self.tell_profile(member.id, profile)
        self._count(member, outcome.reason)
        self._archive(member, outcome)

    def _count(self, member: Member, reason: str) -> None:
        better = member.gain is not None and member.gain > 2 * self.noise
        names = {part.partition("@")[0] for part in member.added}
        told = [(self.by_operator, member.operator), *((self.by_transformation, name) for name in names)]
        gain = max(member.gain or 0.0, 0.0) if better else 0.0
        self.operators.tell(member.operator, gain)
        for name in sorted(names):
            self.transformations.tell(name, gain / len(names))
        for table, name in told:
            row = table.setdefault(name, Success())
            row.tried += 1
            row.passed += member.score is not None
            row.better += better
        if len(member.added) == 1:
            if member.score is None:
                self.guilty[member.added[0]] = reason
            elif not better:
                self.useless.add(member.added[0])

    def _archive(self, member: Member, outcome: Outcome) -> None:
        values: dict[str, float] = {}
        if member.score is not None:
            values = self._values(self.changed(member.id), outcome)
        touched = frozenset(part.partition("@")[2].rpartition("#")[0] for part in member.parts)
        parents = tuple(parent for parent in member.parents if parent != BASE)
        self.archive.add(
            Candidate(member.id, member.score, values, operator=member.operator, parents=parents, touched=touched)
        )

    def _values(self, changed: Mapping[str, str | None], outcome: Outcome) -> dict[str, float]:
        """What the candidate is like, on the axes of the archive."""
        names = [axis.name for axis in self.archive.grid.axes]
        after = self.tree(changed)
        told: dict[str, float] = {}
        if "change_size" in names:
            before = {path: self.base.get(path, "") for path in changed}
            told["change_size"] = change_size(before, {path: after.get(path, "") for path in changed})
        known = {"memory_mb": outcome.peak_memory_mb}
        known |= {f"{METRIC}{name}": value for name, value in outcome.metrics.items()}
        texts = [_measures(text) for path, text in after.items() if path.endswith(".py")]
        for name in names:
            if name not in told:
                told[name] = known.get(name, math.fsum(one.get(name, 0.0) for one in texts))
        return told

    # -------------------------------------------------------------------- asked
    def score_of(self, candidate: str, baseline: float | None = None) -> float | None:
        if candidate == BASE:
            return baseline
        member = self.members.get(candidate)
        return None if member is None else member.score

    def added_by(self, proposal: Proposal) -> tuple[str, ...]:
        """The parts of a candidate that none of its parents has; a parent that was refused gave only the idea."""
        known = {
            part
            for parent in proposal.parents
            if (member := self.members.get(parent)) is not None and member.score is not None
            for part in member.parts
        }
        return tuple(part for part in proposal.parts if part not in known)

    def parts_of(self, candidate: str) -> tuple[str, ...]:
        member = self.members.get(candidate)
        return () if member is None else member.parts

    def changed(self, candidate: str) -> dict[str, str | None]:
        """The files in which a candidate differs from the base, None for one that it deletes."""
        member = self.members.get(candidate)
        return {} if member is None else self.changed_by(member.patch)

    def changed_by(self, patch: str) -> dict[str, str | None]:
        """The same, by the reference of a patch; empty for the empty reference."""
        if not patch:
            return {}
        if patch not in self._files:
            after = apply_exactly(self.base, self._patches.text(patch))
            self._files[patch] = {
                path: after.get(path) for path in {*self.base, *after} if after.get(path) != self.base.get(path)
            }
            while len(self._files) > FILES_KEPT:
                self._files.popitem(last=False)
        self._files.move_to_end(patch)
        return dict(self._files[patch])

    def tree(self, changed: Mapping[str, str | None]) -> dict[str, str]:
        """All files that may change, with `changed` in their places."""
        told = {**self.base, **changed}
        return {path: text for path, text in told.items() if text is not None}

    def files(self, candidate: str) -> dict[str, str]:
        """All files of a candidate (or of the base) that may change."""
        return self.tree(self.changed(candidate))

    def keep(self, files: Mapping[str, str]) -> str:
        """Keep the change that leads from the base to `files`, and answer its reference; empty when there is none.

        Raises PatchError for a file that may not be changed.
        """
        diff = unified_diff(self.base, files)
        return self._patches.put(diff) if diff else ""

    def patch(self, candidate: str) -> str:
        """The unified diff of a finished candidate against the base."""
        member = self.members.get(candidate)
        return "" if member is None or not member.patch else self._patches.text(member.patch)

    def patch_of(self, proposal: Proposal) -> str:
        """The unified diff of a proposed candidate against the base."""
        reference = str(proposal.config.get(PATCH, ""))
        return self._patches.text(reference) if reference else ""

    def changed_of(self, proposal: Proposal) -> dict[str, str | None]:
        """The files that a proposed candidate changes, None for one that it deletes."""
        return self.changed_by(str(proposal.config.get(PATCH, "")))

    def allowed(self, path: str) -> bool:
        """Whether a candidate may change or make this file."""
        return not self.plan.is_judged_by(path) and allows(self.plan.files, path)

    def key(self, changed: Mapping[str, str | None]) -> str:
        """Equal for candidates whose code means the same to the parser: comments and layout are no difference."""
        keys = {path: None if text is None else syntax_key(path, text) for path, text in changed.items()}
        same = {path: syntax_key(path, self.base[path]) for path in changed if path in self.base}
        return content_hash({path: key for path, key in keys.items() if same.get(path) != key})

    def is_known(self, files: Mapping[str, str]) -> bool:
        """Whether a candidate of the same code, or the base itself, was judged before."""
        return self.passed(files) is not None

    def passed(self, files: Mapping[str, str]) -> bool | None:
        """Whether a candidate of the same code came through the judge; None when none was judged."""
        changed = {p: files.get(p) for p in {*self.base, *files} if files.get(p) != self.base.get(p)}
        return self._passed.get(self.key(changed))

    def tried_together(self, parts: Iterable[str]) -> bool:
        """Whether exactly these parts were judged together."""
        return frozenset(parts) in self._sets

    def elites(self) -> list[Member]:
        """The archive's elites, the best first."""
        found = sorted(self.archive.elites(), key=lambda elite: -elite.score)
        return [self.members[elite.id] for elite in found]

    def parents(self, rng: np.random.Generator, n: int) -> list[str]:
        """`n` candidates to go on from, by quality and novelty; the base while there is none better."""
        chosen = self.archive.parents(rng, n)
        return [elite.id for elite in chosen] or [BASE] * n

    def constants(self, candidate: str) -> dict[str, Any]:
        """The constants of a candidate that its source marks as tunable, by name; empty where the base has none."""
        return self._constants.get(candidate, {})

    def heat(self, candidate: str, path: str, qualname: str) -> float | None:
        """The share of the time that goes to a function of the candidate, from the nearest ancestor that was profiled.

        None where nothing is known.
        """
        seen: set[str] = set()
        waiting = [candidate]
        while waiting:
            name = waiting.pop(0)
            if name in self._profiles:
                profile = self._profiles[name]
                short = qualname.rpartition(".")[2]
                return profile.get(f"{path}:{short}", 0.0)
            seen.add(name)
            member = self.members.get(name)
            waiting += [p for p in (member.parents if member else (BASE,)) if p not in seen]
            if name == BASE:
                return None
        return None


@lru_cache(maxsize=4096)
def syntax_key(path: str, text: str) -> str:
    """The hash of a Python file's syntax tree without its docstrings' layout; of the text itself for any other file."""
    if path.endswith((".py", ".pyi")):
        try:
            return content_hash(ast.dump(ast.parse(text)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    return content_hash(text)


def _constants(files: Mapping[str, str]) -> dict[str, Any]:
    """Empty too where a marker is malformed: a candidate may have broken it, the base is checked when it is loaded."""
    try:
        return {constant.name: constant.value for constant in find_constants(files)}
    except ConfigError:
        return {}


@lru_cache(maxsize=4096)
def _measures(text: str) -> dict[str, float]:
    try:
        found = code_measures(text)
    except ValueError:
        return {}
    return {
        "complexity": found.complexity,
        "imports": found.imports,
        "lines": found.lines,
        "nesting": found.nesting,
        "nodes": found.nodes,
    }
