"""Score all comments of one file: every function's annotation against its code, and what of the file is covered.

accuracy, coherence   means over the functions of what the discriminator says of each
coverage              share of the topics on which the code has something to say and the comments say it, by weight
reward                mean(accuracy · coherence) · (0.55 + 0.40 coverage + 0.05 formatting)
"""

from __future__ import annotations

import re
import statistics

from agents.feedback.discriminator import CONTRADICTED_COST, judge_annotation
from agents.feedback.fact_records import FunctionFacts, ModuleFacts
from agents.feedback.facts import module_facts
from agents.feedback.records import CodeComments, DirectiveName, DiscriminatorScore, Issue, ScopeSummary
from agents.feedback.sources import plain_newlines
from agents.feedback.statements import topics_of

__all__ = ["MAX_JUDGED", "TOPIC_WEIGHTS", "score_comments"]

MAX_JUDGED = 400
"""At most so many functions of a file are judged, evenly picked: the rest would change a mean by little."""

TOPIC_WEIGHTS = {
    "purpose": 2.0, "params": 1.5, "returns": 1.5, "raises": 1.5, "effects": 1.0, "invariants": 0.8, "complexity": 0.8,
    "types": 0.7, "todo": 0.4,
}  # fmt: skip
_DIRECTIVE_OF: dict[str, DirectiveName] = {
    "purpose": "header", "params": "params", "returns": "returns", "raises": "raises", "effects": "effects",
    "invariants": "invariants", "complexity": "complexity", "types": "types", "todo": "todo",
}  # fmt: skip


def score_comments(code: str, comments: CodeComments, facts: ModuleFacts | None = None) -> DiscriminatorScore:
    """The score of a draft. A file without functions is scored by its module summary alone."""
    facts = facts or module_facts(code)
    summaries = {(each.name, each.line): each for each in comments.summaries if each.scope == "function"}
    functions = [each for each in facts.functions if each.kind != "nested"]
    lines = plain_newlines(code).split("\n")
    step = max(1, -(-len(functions) // MAX_JUDGED))
    scores: list[DiscriminatorScore | None] = []
    issues: list[Issue] = []
    for function in functions[::step]:
        summary = summaries.get((function.qualname, function.line))
        if summary is None:
            issues.append(_uncommented(function))
            scores.append(None)
            continue
        score = judge_annotation(function_source(lines, function), summary.annotation, function)
        wrong = _wrong_remarks(summary, function)
        if wrong:
            score = score.model_copy(
                update={"accuracy": score.accuracy * CONTRADICTED_COST, "issues": (*wrong, *score.issues)}
            )
        scores.append(score)
        share = 1.0 / len(functions[::step])
        issues += [_rescaled(issue, function, share) for issue in score.issues]
    judged = [score for score in scores if score is not None]
    coverage, missing = _coverage(functions, summaries, comments)
    accuracy = statistics.fmean([s.accuracy for s in judged]) if judged else 1.0
    coherence = statistics.fmean([s.coherence for s in judged]) if judged else 1.0
    formatting = statistics.fmean([s.formatting for s in judged]) if judged else 1.0
    truth = statistics.fmean([s.accuracy * s.coherence if s else 0.0 for s in scores]) if scores else 1.0
    reward = truth * (0.55 + 0.40 * coverage + 0.05 * formatting)
    every = sorted([*issues, *missing], key=lambda issue: -issue.weight)
    gates = {
        name: statistics.fmean([s.gates.get(name, 1.0) for s in judged]) for name in (judged[0].gates if judged else ())
    }
    return DiscriminatorScore(
        reward=min(1.0, reward), coverage=coverage, accuracy=accuracy, coherence=coherence, formatting=formatting,
        gates=gates, issues=tuple(every[:200]),
    )  # fmt: skip


def function_source(lines: list[str], facts: FunctionFacts) -> str:
    """The function's own lines without its docstring, as the discriminator wants them."""
    first, last = facts.docstring_line, facts.docstring_end_line
    if first is None or last is None or first == facts.line or last == facts.end_line:
        return "\n".join(lines[facts.line - 1 : facts.end_line])
    return "\n".join([*lines[facts.line - 1 : first - 1], *lines[last : facts.end_line]])


def _coverage(
    functions: list[FunctionFacts], summaries: dict[tuple[str, int], ScopeSummary], comments: CodeComments
) -> tuple[float, list[Issue]]:
    """Weighted share of covered topics, and one issue for each topic that is missing anywhere."""
    wanted = covered = 0.0
    lacking: dict[str, list[FunctionFacts]] = {}
    for function in functions:
        summary = summaries.get((function.qualname, function.line))
        said = {statement.topic for statement in summary.statements} if summary else set()
        for topic in topics_of(function):
            wanted += TOPIC_WEIGHTS[topic]
            if topic in said:
                covered += TOPIC_WEIGHTS[topic]
            else:
                lacking.setdefault(topic, []).append(function)
    if not wanted:
        has_module = any(each.scope == "module" and each.statements for each in comments.summaries)
        return (1.0 if has_module else 0.0), []
    issues = [
        Issue(
            kind=f"missing_{topic}", message=f"{len(found)} functions say nothing of their {topic}",
            evidence=", ".join(f"{each.qualname} (line {each.line})" for each in found[:4]), fix=f"add {topic}",
            line=found[0].line, weight=min(1.0, 0.4 * TOPIC_WEIGHTS[topic] * len(found) / wanted),
            directive=_DIRECTIVE_OF[topic],
        )
        for topic, found in lacking.items()
    ]  # fmt: skip
    return covered / wanted, issues


def _wrong_remarks(summary: ScopeSummary, facts: FunctionFacts) -> list[Issue]:
    """Remarks on types and complexity that the code contradicts: a typed name called untyped, another number."""
    found = []
    for each in summary.statements:
        typed = set(re.findall(r"`(\w+)`", each.text)) - set(facts.untyped) if each.topic == "types" else set()
        number = re.search(r"complexity (\d+)", each.text) if each.topic == "complexity" else None
        if not typed and (number is None or int(number[1]) == facts.complexity):
            continue
        evidence = f"{', '.join(sorted(typed))} has a type" if typed else f"the complexity is {facts.complexity}"
        found.append(
            Issue(
                kind=f"contradicted_{each.topic}", message=f"the remark on {each.topic} is wrong", evidence=evidence,
                fix="state it as the code has it", line=facts.line, weight=1 - CONTRADICTED_COST,
                directive=_DIRECTIVE_OF[each.topic],
            )
        )  # fmt: skip
    return found


def _uncommented(facts: FunctionFacts) -> Issue:
    return Issue(
        kind="uncommented", message=f"{facts.qualname} has no summary", evidence=f"def at line {facts.line}",
        fix="summarise it", line=facts.line, scope=facts.qualname, weight=0.1, directive="header",
    )  # fmt: skip


def _rescaled(issue: Issue, facts: FunctionFacts, share: float) -> Issue:
    """The issue with its line counted in the file, its weight as a share of the file's reward."""
    return issue.model_copy(update={"weight": issue.weight * share, "scope": facts.qualname})
