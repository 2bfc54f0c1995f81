"""A feedback run as plain data, and as text for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from agents.feedback.generator import generate
from agents.feedback.guidance import parse_guidance
from agents.feedback.records import CodeComments, Directive
from graph.feedback_workflow import FeedbackRun
from service.escape import escaped
from service.tables import columns

__all__ = ["as_told", "shown"]

SHOWN_ISSUES = 3
NEEDS_MODEL = "no directive can follow this; it would need a model"


def as_told(run: FeedbackRun) -> dict[str, Any]:
    """What `--json` tells of a file."""
    best = run.best or run.records[-1]
    return {
        "path": run.path,
        "reward": best.discriminator_score.reward,
        "rewards": run.rewards,
        "rounds": [
            {
                "round": number,
                **record.discriminator_score.model_dump(
                    include={"reward", "coverage", "accuracy", "coherence", "formatting"}
                ),
                "kept": record.kept,
                "followed": list(record.comments.directives),
                "asks_next": list(record.agitator_feedback.guidance),
            }
            for number, record in enumerate(run.records, 1)
        ],
        "guidance": list(guidance_effects(run)),
        "recalled": list(run.recalled),
        "defects": [defect.model_dump(mode="json") for defect in run.defects],
        "issues": [issue.model_dump(mode="json") for issue in best.discriminator_score.issues],
        "partial": [{"line": p.line, "end_line": p.end_line, "reason": p.reason} for p in best.comments.partial],
        "engine": best.discriminator_score.engine,
        "notes": [*best.comments.notes, *best.discriminator_score.notes, *best.agitator_feedback.notes],
        "stopped": run.records[-1].agitator_feedback.stop_reason,
        "report": str(run.report),
    }


def guidance_effects(run: FeedbackRun) -> Iterator[dict[str, Any]]:
    """What each sentence of a person is followed by, what of it cannot be, and how many statements it adds or removes.

    The effect is measured: the file is commented with that sentence alone, and with none.  Where a model wrote, it was
    given the sentence as it stands; whether it followed is for people to see.
    """
    read = any(record.comments.engine == "model" for record in run.records)
    plain: Counter[str] | None = None
    for text in run.guidance:
        directives, unmet = parse_guidance(text)
        changed: dict[str, int] = {}
        if directives:
            plain = _topics(generate(run.path, run.code)) if plain is None else plain
            guided = _topics(generate(run.path, run.code, directives))
            changed = {t: guided[t] - plain[t] for t in sorted({*guided, *plain}) if guided[t] != plain[t]}
        yield {"text": text, "follows": [_named(each) for each in directives], "unmet": [] if read else unmet,
               "read": unmet if read else [], "changed": changed}  # fmt: skip


def _topics(comments: CodeComments) -> Counter[str]:
    """Statements and line remarks by topic."""
    said = Counter(each.topic for summary in comments.summaries for each in summary.statements)
    return said + Counter(line.topic for line in comments.lines)


def _named(directive: Directive) -> str:
    return directive.name if directive.wanted else f"no {directive.name}"


# ------------------------------------------------------------------------ text


def shown(told: dict[str, Any]) -> str:
    """The result for people: one file in full, several as a table and what is wrong with them."""
    results: list[dict[str, Any]] = told["files"]
    parts = [_rounds(results[0])] if len(results) == 1 else [_table(results)] if results else []
    parts += [part for each in results for part in (_partial(each), _defects(each)) if part]
    if results:
        parts += [_guidance(results), _open(results[0]) if len(results) == 1 else ""]
    parts.append(_ending(told))
    return "\n\n".join(part for part in parts if part)


def _rounds(result: dict[str, Any]) -> str:
    metrics = ("reward", "coverage", "accuracy", "coherence", "formatting")
    rows = [
        (r["round"], *(f"{r[m]:.3f}" for m in metrics), "yes" if r["kept"] else "no", ", ".join(r["followed"]) or "–")
        for r in result["rounds"]
    ]
    ended = f"\nstopped: {result['stopped']}" if result["stopped"] else ""
    return f"{escaped(result['path'])}\n{columns(rows, ('round', *metrics, 'kept', 'followed'))}{ended}"


def _table(results: Sequence[dict[str, Any]]) -> str:
    rows = [
        (r["path"], " → ".join(f"{reward:.3f}" for reward in r["rewards"]), f"{r['reward']:.3f}", len(r["defects"]))
        for r in results
    ]
    return columns(rows, ("file", "rewards", "kept", "defects"))


def _partial(result: dict[str, Any]) -> str:
    lines = [
        f"{result['path']}:{p['line']}: not analysed up to line {p['end_line']}: {p['reason']}"
        for p in result["partial"]
    ]
    return escaped("\n".join(lines))


def _defects(result: dict[str, Any]) -> str:
    if not result["defects"]:
        return ""
    lines = [f"wrong in the docstrings of {result['path']}"]
    for d in result["defects"]:
        lines.append(f"  line {d['line']}  {d['scope']} {d['message']}")
        lines.append(f"      evidence: {d['evidence']} (line {d['code_line']}); {d['fix']}")
    return escaped("\n".join(lines))


def _guidance(results: Sequence[dict[str, Any]]) -> str:
    """What each sentence changed, over all files."""
    lines: list[str] = []
    for number, first in enumerate(results[0]["guidance"]):
        same = [each["guidance"][number] for each in results if len(each["guidance"]) > number]
        total: Counter[str] = Counter()
        for each in same:
            total.update(each["changed"])
        changed = ", ".join(f"{count:+d} {topic}" for topic, count in sorted(total.items()) if count)
        lines.append(f"guidance: {first['text']}")
        if first["follows"]:
            effect = f"{changed} statements" if changed else "changed nothing"
            lines.append(f"  followed as {', '.join(first['follows'])}: {effect}")
        lines += [f"  not met: {clause!r}: {NEEDS_MODEL}" for clause in first["unmet"]]
        lines += [f"  given to the model as it stands: {clause!r}" for clause in first["read"]]
    return escaped("\n".join(lines))


def _open(result: dict[str, Any]) -> str:
    lines = [
        f"  line {i['line']}  {i['scope'] + ': ' if i['scope'] else ''}{i['message']} ({i['evidence']}); {i['fix']}"
        for i in result["issues"][:SHOWN_ISSUES]
    ]
    more = len(result["issues"]) - SHOWN_ISSUES
    if more > 0:
        lines.append(f"  and {more} more in the report")
    return escaped("\n".join(["still open in the comments", *lines])) if lines else ""


def _ending(told: dict[str, Any]) -> str:
    results = told["files"]
    lines = [f"written: {each['path']}" for each in results if each.get("written")]
    if told["failed"]:
        lines.append(f"{len(told['failed'])} of {len(told['failed']) + len(results)} files could not be analysed")
    if "check" in told:
        lines.append("check: passed" if told["check"]["passed"] else "check: not passed")
        lines += [f"  {path}: {reason}" for path, why in told["check"]["failed"].items() for reason in why]
    lines += [f"{name}: {told[name]}" for name in ("baseline", "sarif") if name in told]
    if len(results) == 1:
        lines.append(f"report: {results[0]['report']}")
    elif results:
        lines.append(f"reports: {results[0]['report'].rpartition('/')[0]}")
    return escaped("\n".join(lines))
