"""Results as tables for people: plain text, aligned, no colour needed.

On a terminal nothing is wider than it: the last column is cut, and paragraphs are folded.  Elsewhere (a pipe, a
file) lines are as long as they are, for `grep` and `awk`.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from agents.wording import describe_value
from core.records import PATCH
from graph.model_use import use_line
from service.escape import escaped
from service.figures import between

__all__ = ["calibration_line", "columns", "duration", "fields", "line_width", "result_table", "verdict_line"]

MOST_PARTS = 40
FOLD_INDENT = 9
MIN_CUT = 10
"""Characters of the last column that are kept whatever the width of the terminal."""


def line_width() -> int | None:
    """The columns of the terminal behind stdout; None when it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def columns(rows: Sequence[Sequence[object]], heads: Sequence[str]) -> str:
    """Rows under their heads, each column as wide as its widest cell; numbers to the right."""
    cells = [[_one_line(value) for value in row] for row in rows]
    widths = [max(len(head), *(len(row[i]) for row in cells)) if cells else len(head) for i, head in enumerate(heads)]
    right = [
        bool(rows) and all(isinstance(row[i], int | float) or row[i] is None for row in rows) for i in range(len(heads))
    ]
    room = line_width()
    if room is not None:
        widths[-1] = min(widths[-1], max(MIN_CUT, room - sum(widths[:-1]) - 2 * (len(widths) - 1)))

    def line(values: Sequence[str]) -> str:
        fitted = [*values[:-1], values[-1] if len(values[-1]) <= widths[-1] else values[-1][: widths[-1] - 1] + "…"]
        put = (v.rjust(w) if r else v.ljust(w) for v, w, r in zip(fitted, widths, right, strict=True))
        return "  ".join(put).rstrip()

    return "\n".join([line(heads), *map(line, cells)])


def fields(rows: Sequence[tuple[str, object]]) -> str:
    """`name  value` a line; a long value is folded under itself on a terminal."""
    indent = max((len(name) for name, _ in rows), default=0) + 2
    width = line_width()
    lines: list[str] = []
    for name, value in rows:
        text = _one_line(value)
        folded = textwrap.wrap(text, max(20, width - indent)) if width is not None else [text]
        for number, part in enumerate(folded or [""]):
            lines.append(f"{name if number == 0 else '':<{indent}}{part}".rstrip())
    return "\n".join(lines)


def _folded(text: str) -> str:
    """Lines of words, folded at them on a terminal."""
    width = line_width()
    if width is None:
        return text
    indent = " " * FOLD_INDENT
    lines = [textwrap.wrap(line, max(20, width), subsequent_indent=indent) for line in text.split("\n")]
    return "\n".join(part for parts in lines for part in parts)


def duration(seconds: float) -> str:
    """`4.2 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def result_table(summary: dict[str, Any]) -> str:
    """The end of a run: cycles, the best configuration against the baseline with its interval, control arms."""
    metric = summary["objective"]["metric"]
    lines = [f"{summary['campaign']}: {summary['status']}, {summary['reason']}", ""]
    if summary["cycles"]:
        lines += [_cycles_table(summary), ""]
    best, baseline = summary["best"], summary["baseline"]
    if best and baseline:
        names = [name for name in dict.fromkeys([*best["config"], *baseline["config"]]) if name != PATCH]
        rows = [(name, best["config"].get(name), baseline["config"].get(name)) for name in names]
        shown = [name for name in baseline["metrics"] if name in best["metrics"]]
        rows += [(name, best["metrics"][name], baseline["metrics"][name]) for name in shown]
        lines += [columns(rows, ("", f"best ({best['proposal']}, {best['proposer']})", "baseline")), ""]
        if PATCH in best["config"]:
            lines += [_change_text(best), ""]
        lines.append(_folded(verdict_line(best["interval"], metric)))
    elif baseline and summary["cycles"] and not any(each["metrics"]["total_proposals"] for each in summary["cycles"]):
        lines += ["nothing was tried: no proposer had anything to offer", ""]
    lines += _sealed_lines(summary["sealed"]) + _front_lines(summary["pareto"])
    for arm, told in summary["control"].items():
        found = "no result" if told["best"] is None else f"best {metric} {told['best']:.5g}"
        lines.append(f"control arm {arm}: {found} in {told['jobs']} jobs")
    jobs = summary["jobs"]
    lines.append(f"jobs: {jobs['ok']} ok, {jobs['failed']} failed, {jobs['stopped']} stopped early")
    if summary.get("model"):
        lines.append(_folded(f"model: {use_line(summary['model'])}"))
    if summary["calibration"]:
        lines.append(_folded(f"predictions: {calibration_line(summary['calibration']['score'])}"))
    if summary.get("report"):
        lines.append(f"report: {summary['report']}")
    return "\n".join(lines)


def _change_text(best: dict[str, Any]) -> str:
    """What a candidate of code is made of, a line a part; of one without named parts, why it was proposed."""
    parts = best["change"]
    if not parts:
        return f"change: {escaped(best['rationale'])}"
    more = [f"  and {len(parts) - MOST_PARTS} more"] if len(parts) > MOST_PARTS else []
    shown = (part.replace("@", " in ", 1).replace(":", ", ", 1) for part in parts[:MOST_PARTS])
    return "\n".join(["the best changes:", *(f"  {escaped(part)}" for part in shown), *more])


def verdict_line(interval: dict[str, Any] | None, metric: str) -> str:
    """What may be said of the best against the baseline."""
    if interval is None:
        return "no verdict: best and baseline were not compared on fresh seeds"
    means = f"mean {metric} {interval['mean']:.5g} against {interval['baseline_mean']:.5g}"
    within = f"{interval['level']:.0%} interval of the gain {between(interval['low'], interval['high'])}"
    return f"verdict: {interval['answer']}; {means} on {interval['pairs']} fresh paired seeds,\n         {within}"


def calibration_line(told: dict[str, Any]) -> str:
    """How often what happened lay inside the interval that had been predicted."""
    return (
        f"the {told['level']:.0%} interval held {told['covered']:.0%} of {told['n']} outcomes "
        f"(in the long run {told['low']:.0%} … {told['high']:.0%})"
    )


def _sealed_lines(sealed: dict[str, Any] | None) -> list[str]:
    if sealed is None:
        return []
    best, baseline = ("no result" if sealed[who] is None else f"{sealed[who]:.5g}" for who in ("best", "baseline"))
    return [f"sealed evaluation of {sealed['proposal_id']}: {sealed['metric']} {best}, baseline {baseline}"]


def _front_lines(front: list[dict[str, Any]]) -> list[str]:
    """The trials that none beats in every objective."""
    if not front:
        return []
    metrics = list(front[0]["metrics"])
    rows = [(point["proposal"], *(point["metrics"][name] for name in metrics)) for point in front]
    return ["not beaten in every objective:", columns(rows, ("proposal", *metrics)), ""]


def _cycles_table(summary: dict[str, Any]) -> str:
    metric, sign = summary["objective"]["metric"], 1 if summary["objective"]["goal"] == "maximize" else -1
    rows = []
    for cycle in summary["cycles"]:
        counted = cycle["metrics"]
        rows.append(
            (
                cycle["cycle"],
                cycle["mode"],
                int(counted["total_proposals"]),
                int(counted["approved_proposals"]),
                int(counted["jobs_ok"]),
                int(counted["jobs_failed"] + counted["jobs_stopped"]),
                sign * counted["best_score"] if "best_score" in counted else None,
            )
        )
    return columns(rows, ("cycle", "mode", "proposals", "approved", "ok", "not ok", f"best {metric}"))


def _one_line(value: object) -> str:
    return "–" if value is None else escaped(describe_value(value)).replace("\n", " ")
