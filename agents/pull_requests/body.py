"""The text of a pull request, from its template: what, why, on what evidence, and how to undo it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from agents.pull_requests.evidence import Evidence, Measurement
from agents.pull_requests.line_counts import line_counts
from agents.pull_requests.wording import cut, in_markdown, on_one_line, paragraphs
from core.pull_requests import CodeChange

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["MOST_CHARACTERS", "body_of", "length_of"]

MOST_CHARACTERS = 65_536
"""Of the body of a pull request at GitHub."""


@dataclass(frozen=True)
class _Limits:
    """Rows of a table, and characters of a text in one."""

    description: int = 12_000
    rows: int = 200
    reason: int = 400

    def halved(self) -> _Limits:
        return _Limits(self.description // 2, self.rows // 2, max(20, self.reason // 2))


def body_of(
    changes: Sequence[CodeChange], description: str, evidence: Evidence, *, branch: str, proposal_id: str
) -> str:
    """The body, of at most 65,536 characters: what is too long is cut, and says so."""
    counts = [line_counts(change) for change in changes]
    limits = _Limits()
    while True:
        fields = _fields(changes, counts, description, evidence, limits)
        text = _template().render(**fields, branch=in_markdown(branch), proposal_id=proposal_id)
        if length_of(text) <= MOST_CHARACTERS:
            return text
        limits = limits.halved()


def length_of(text: str) -> int:
    """In UTF-16 units, as a browser counts: never fewer than characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    source = files("agents.pull_requests").joinpath("templates/body.md").read_text("utf-8")
    # every value is Markdown that `wording` made, or a number
    return Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False).from_string(source)  # noqa: S701


def _fields(
    changes: Sequence[CodeChange],
    counts: Sequence[tuple[int, int] | None],
    description: str,
    evidence: Evidence,
    limits: _Limits,
) -> Mapping[str, Any]:
    def shown(text: str) -> str:
        return in_markdown(on_one_line(text, limits.reason))

    rows = [
        {
            "path": shown(change.file_path),
            "change": change.change_type,
            "lines": _lines(count),
            "why": shown(change.rationale),
        }
        for change, count in list(zip(changes, counts, strict=True))[: limits.rows]
    ]
    votes = [
        {
            "voter": shown(v.voter),
            "score": f"{v.score:+.2f}",
            "confidence": f"{v.confidence:.2f}",
            "reason": shown(v.reason),
        }
        for v in evidence.votes[: limits.rows]
    ]
    return {
        "description": paragraphs(cut(description, limits.description)) or "(no description)",
        "totals": _totals(changes, counts),
        "rows": rows,
        "rows_left": len(changes) - len(rows),
        "tests": _tests(evidence, shown),
        "benchmarks": [_benchmark(one, shown) for one in evidence.benchmarks[: limits.rows]],
        "votes": votes,
        "risk": _risk(evidence, shown),
        "notes": [shown(note) for note in evidence.notes[: limits.rows]],
        "nothing_known": evidence == Evidence(),
    }


def _lines(count: tuple[int, int] | None) -> str:
    return "not counted" if count is None else f"+{count[0]:,} −{count[1]:,}"


def _totals(changes: Sequence[CodeChange], counts: Sequence[tuple[int, int] | None]) -> str:
    known = [count for count in counts if count is not None]
    files_told = f"{len(changes)} file{'s' * (len(changes) != 1)}"
    lines_told = f"+{sum(c[0] for c in known):,} −{sum(c[1] for c in known):,} lines"
    left = len(counts) - len(known)
    return f"{files_told}, {lines_told}{f', {left} not counted' if left else ''}."


def _tests(evidence: Evidence, shown: Callable[[str], str]) -> str:
    tests = evidence.tests
    if tests is None:
        return ""
    took = "" if tests.duration_s is None else f" in {tests.duration_s:.3g} s"
    command = f" ({shown(tests.command)})" if tests.command else ""
    return f"{tests.passed:,} passed, {tests.failed:,} failed, {tests.skipped:,} skipped{took}{command}"


def _benchmark(one: Measurement, shown: Callable[[str], str]) -> Mapping[str, str]:
    unit = f" {shown(one.unit)}" if one.unit else ""
    change = "" if one.change is None else f"{one.change:+.1f} %"
    if one.low is not None and one.high is not None:
        change = f"{change} ({one.low:+.1f} … {one.high:+.1f} %)".strip()
    verdict = {True: "better", False: "worse", None: "cannot tell"}[one.better]
    before, after = f"{one.before:.5g}{unit}", f"{one.after:.5g}{unit}"
    return {"name": shown(one.name), "before": before, "after": after, "change": change, "verdict": verdict}


def _risk(evidence: Evidence, shown: Callable[[str], str]) -> str:
    risk = evidence.risk
    if risk is None:
        return ""
    level = f" ({shown(risk.level)})" if risk.level else ""
    reason = f": {shown(risk.reason)}" if risk.reason else ""
    return f"{risk.score:.2f} of 1{level}{reason}"
