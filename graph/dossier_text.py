"""A dossier as Markdown, for a file or the body of a pull request, and the message of the commit that it belongs to.

Every text that somebody else wrote stands as code: no markup, link, mention or HTML of theirs comes to life.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.escape import escaped

__all__ = ["as_code", "as_markdown", "commit_message"]

GRADES = {
    "verified": "Verified: on fresh seeds, paired with the base, it is better.",
    "measured": "NOT VERIFIED: its tests pass and it was timed, but no comparison on fresh seeds found it better.",
    "refused": "REFUSED by its judge.",
}


def as_code(text: object, *, cell: bool = False) -> str:
    """`text` on one line as a code span that nothing inside can end; `cell`: in a table, where a bar ends it."""
    line = " ".join(escaped(str(text)).split())
    line = line.replace("|", "\\|") if cell else line
    if not line:
        return "–"
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence, pad = "`" * (longest + 1), " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def as_markdown(told: Mapping[str, Any], *, public: bool = False) -> str:
    """The dossier for a reader; the same dossier gives the same text.

    `public`: without places on this machine, such as for a pull request.
    """
    parts = [
        f"# Candidate {as_code(told['candidate'])}",
        f"{GRADES[told['grade']]} Campaign {as_code(told['campaign'])}, {as_code(told['objective']['metric'])} "
        f"{_number(told['value'])}.",
        _change(told["changes"], told["base"]),
        _why(told["lineage"]),
        _tests(told["tests"]),
        _statistics(told["judgement"], told["verdict"], told["challenges"]),
        _isolation(told["isolation"]),
        _cost(told["cost"]),
        _reproduce(told["reproduce"], public=public),
        *([_delivered(told["delivered"], told["undo"])] if told["delivered"] and not public else []),
    ]
    return "\n\n".join(parts) + "\n"


def commit_message(told: Mapping[str, Any]) -> str:
    """A title and the evidence in a few lines, without the trailers."""
    changes, judged, verdict = told["changes"], told["judgement"], told["verdict"]
    files = [row["path"] for row in changes["files"]]
    where = files[0] if len(files) == 1 else f"{len(files) + changes['left_out']} files"
    title = escaped(f"Change {where}").replace("\n", " ")
    if judged["ratio"] is not None:
        title = f"{title}: {judged['ratio']:.3g} times as fast"
    lines = [
        title[:100],
        "",
        GRADES[told["grade"]],
        f"Judged by paired runs against the base: {_paired(judged)}.",
        *([f"Verdict: {_fresh(verdict)}."] if verdict is not None else []),
        f"Tests: {_tested(told['tests'])}.",
        f"Ratchet campaign {told['campaign']}, sandbox level {told['isolation']['level']}; the evidence in full:",
        f"python run_graph.py deliver {told['candidate']}",
    ]
    return "\n".join(lines) + "\n"


def _change(changes: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    rows = [
        f"| {as_code(row['path'], cell=True)} | {row['what']} | +{row['added']} | −{row['removed']} |"
        for row in changes["files"]
    ]
    more = f"\n\nand {changes['left_out']} more files." if changes["left_out"] else ""
    since = " with changes that were not committed" if base["changed_since_commit"] else ""
    commit = f"commit {as_code(base['commit'])}{since}" if base["commit"] else "no commit"
    return (
        "## What was changed\n\n| file | | lines | |\n|---|---|---:|---:|\n"
        + "\n".join(rows)
        + f"{more}\n\nAgainst the code as it stood when the campaign began: {commit}, "
        + f"content {as_code(base['digest'][:16])}."
    )


def _why(lineage: Mapping[str, Any]) -> str:
    lines = []
    for row in lineage["ancestors"]:
        value = "no result" if row["value"] is None else _number(row["value"])
        gain = "" if row["gain"] is None else f", {row['gain']:.3g} times its best parent"
        made = f"by {as_code(row['operator'])} ({as_code(row['proposer'])}, {row['source']}) from "
        parents = ", ".join(map(as_code, row["parents"])) or "nothing"
        status = "" if row["status"] == "ok" else f" {row['status']}: {as_code(row['reason'])}."
        lines.append(f"1. {as_code(row['id'])}, cycle {row['cycle']}, {made}{parents}: {value}{gain}.{status}")
        lines.append(f"   {as_code(row['rationale'])}")
    left = f"\n\n{lineage['left_out']} older ancestors are left out." if lineage["left_out"] else ""
    return "## Why\n\nFrom the oldest ancestor to the candidate:\n\n" + "\n".join(lines) + left


def _tests(tests: Mapping[str, Any]) -> str:
    failed = "".join(f"\n- failed: {as_code(name)}" for name in tests["failed"])
    return f"## Tests\n\n{_tested(tests)[0].upper()}{_tested(tests)[1:]}.{failed}"


def _tested(tests: Mapping[str, Any]) -> str:
    how = "counted one by one" if tests["counted"] else "by exit code, not counted"
    planted = "a planted test that must fail was caught" if tests["planted_failure_caught"] else "no test was planted"
    return f"{tests['passed']} passed, {len(tests['failed']) or 'none'} failed ({how}; {planted})"


def _statistics(judged: Mapping[str, Any], verdict: Mapping[str, Any] | None, past: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"- When it was judged, by which it was chosen: {_paired(judged)}."]
    for one in past:
        interval = _interval(one["low"], one["high"], one["level"])
        lines.append(
            f"- Challenging {as_code(one['against'])} on {one['pairs']} further seeds: difference "
            f"{one['gain']:+.3g}, {interval}; {one['answer']}."
        )
    lines.append(f"- Verdict: {_fresh(verdict)}." if verdict else "- Verdict: none was reached on fresh seeds.")
    if verdict:
        rows = zip(verdict["seeds"], verdict["candidate"], verdict["base"], strict=True)
        lines += ["", "| seed | candidate | base |", "|---:|---:|---:|"]
        lines += [f"| {seed} | {_number(ours)} | {_number(theirs)} |" for seed, ours, theirs in rows]
    return "## Statistics\n\n" + "\n".join(lines)


def _paired(judged: Mapping[str, Any]) -> str:
    if judged["ratio"] is None:
        return f"no measurement, {as_code(judged['cause'] or judged['status'])} {as_code(judged['reason'])}"
    noise = "unknown" if judged["noise"] is None else f"{judged['noise']:.2g}"
    return (
        f"{judged['ratio']:.4g} times as fast over {judged['pairs']} pairs, "
        f"{_interval(judged['low'], judged['high'], judged['level'])}, noise of a pair {noise} (log scale), "
        f"at least {judged['worth']:.0%} wanted; answer {as_code(judged['answer'])}"
    )


def _fresh(verdict: Mapping[str, Any]) -> str:
    interval = _interval(verdict["low"], verdict["high"], verdict["level"])
    return (
        f"{verdict['answer']} on {verdict['pairs']} fresh paired seeds, difference {verdict['gain']:+.4g}, {interval}"
    )


def _interval(low: float | None, high: float | None, level: float) -> str:
    ends = ("−∞" if low is None else f"{low:.4g}", "∞" if high is None else f"{high:.4g}")
    return f"{level:.0%} interval [{ends[0]}, {ends[1]}]"


def _isolation(isolation: Mapping[str, Any]) -> str:
    rows = [f"- {as_code(name)}: {as_code(how)}" for name, how in isolation["enforced"].items()]
    return f"## Isolation\n\nSandbox level {isolation['level']} of 3. Enforced while it was judged:\n\n" + "\n".join(
        rows
    )


def _cost(cost: Mapping[str, Any]) -> str:
    jobs = ", ".join(f"{count} {status}" for status, count in cost["jobs"].items()) or "none"
    wall = "" if cost["wall_s"] is None else f", {cost['wall_s']:.0f} s from start to end"
    model = cost["model"]
    asked = "no language model"
    if model is not None:
        asked = (
            f"{model['calls']} answers of {', '.join(map(as_code, model['models'])) or 'no model'}, "
            f"{model['input_tokens'] + model['output_tokens']:,} tokens, ${model['cost_usd']:.4f}"
        )
    return (
        f"## Cost\n\nOf the whole campaign: candidates {cost['candidates']}; jobs: {jobs}; "
        f"{cost['job_s']:.0f} s of jobs, {cost['cpu_s']:.0f} CPU seconds{wall}; {asked}."
    )


def _reproduce(reproduce: Mapping[str, str], *, public: bool) -> str:
    folder = "the folder of the code" if public else as_code(reproduce["folder"])
    campaign = "" if public else f"- the campaign: {as_code(reproduce['campaign'])}\n"
    return (
        f"## How to repeat it\n\n{campaign}"
        f"- the tests, in {folder}: {as_code(reproduce['tests'])}\n"
        f"- the benchmark, there too, before and after the change: {as_code(reproduce['benchmark'])}"
    )


def _delivered(delivered: Sequence[Mapping[str, Any]], undo: Sequence[str]) -> str:
    lines = []
    for one in delivered:
        what = f"{one['kind']} {as_code(one['branch'])}" if one["branch"] else one["kind"]
        commit = f", commit {as_code(one['commit'])}" if one["commit"] else ""
        lines.append(f"- {what} in {as_code(one['where'])}{commit}")
        if one["merged"]:
            names = ", ".join(map(as_code, one["merged"]))
            lines.append(f"  - merged with what the user has changed since, so never measured in this form: {names}")
        if one["differ"]:
            names, more = ", ".join(map(as_code, one["differ"][:8])), len(one["differ"]) + one["differ_left_out"] - 8
            lines.append(f"  - other files there differ from what was measured: {names}" + _more(more))
        lines += [f"  - replaced {as_code(file)}, kept in {as_code(copy)}" for file, copy in one["backups"]]
    back = "\n".join(f"- {as_code(line)}" for line in undo)
    return "## Where it is\n\n" + "\n".join(lines) + (f"\n\n## How to undo it\n\n{back}" if back else "")


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.5g}"
