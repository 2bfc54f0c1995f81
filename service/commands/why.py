"""`why PROPOSAL`: who proposed it and why, how it was voted on and ruled, and prediction against outcome."""

from __future__ import annotations

import argparse
from typing import Any

from service.escape import escaped
from service.figures import around, signed
from service.output import Output
from service.payoff import paid_line
from service.progress import short
from service.state import find_subject, local_desk
from service.tables import calibration_line, columns, duration, fields

__all__ = ["explanation", "why"]

PATCH_LINES = 80


def why(args: argparse.Namespace, output: Output) -> int:
    """`why PROPOSAL`; of a job, why its proposal."""
    from service.operations.decisions import WhyOf, explained, proposal_of_job

    with local_desk(args) as desk:
        campaign_id, subject = find_subject(desk.ledger, args.id)
        if subject.startswith("j-"):
            with desk.histories.of(campaign_id) as history:
                subject = proposal_of_job(history, subject)
        told = explained(WhyOf(campaign=campaign_id, proposal=subject), desk).model_dump(mode="json")
        shown = f"\n\n{escaped(_cut(told['patch']))}" if told["patch"] else ""
        output.result(told, explanation(told) + shown)
    return 0


def _cut(patch: str) -> str:
    lines = patch.splitlines()
    more = [f"… {len(lines) - PATCH_LINES} more lines; --json has them all"] if len(lines) > PATCH_LINES else []
    return "\n".join([*lines[:PATCH_LINES], *more])


def _what(told: dict[str, Any]) -> tuple[str, object]:
    if told["kind"] == "experiment":
        return "config", short(told["config"], 2000)
    if told["files"]:
        return told["kind"], ", ".join(told["files"])
    parts = ", ".join(part.rpartition("#")[0] for part in told["parts"])
    return told["operator"] or "code", parts or short(told["config"])


def explanation(told: dict[str, Any]) -> str:
    """An explanation for a person."""
    metric = told["objective"]["metric"]
    rows: list[tuple[str, object]] = [
        (told["proposal"], f"by {told['proposer']} ({told['source']}) in cycle {told['cycle']} of {told['campaign']}"),
        _what(told),
    ]
    if told["direction"]:
        rows.append(("direction", f"{told['direction']['mode']}: {told['direction']['reason']}"))
    rows.append(("why", told["rationale"]))
    if sharp := told["sharpened"]:
        asked = f"; asked: {'; '.join(sharp['guidance'])}" if sharp["guidance"] else ""
        gained = f"reward {sharp['before']:.3f} → {sharp['after']:.3f} in {sharp['rounds']} rounds{asked}"
        rows.append(("sharpened", gained))
    rows += [("parent" if i == 0 else "", _parent(p, metric)) for i, p in enumerate(told["parents"])]
    rows += [
        ("memory" if i == 0 else "", f"{m['id']}  {m['text'] or 'no longer in the ledger'}")
        for i, m in enumerate(told["memories"])
    ]
    for one in told["guidance"]:
        recalled = f" (said to {one['recalled_from']}, recalled)" if one["recalled_from"] else ""
        rows.append(("guidance", f"{one['id']}  {escaped(one['text'])}{recalled}"))
        rows += [("", change) for change in one["changed"]]
        if one["payoff"]:
            rows.append(("", paid_line(one["payoff"])))
    parts = [fields(rows)]
    if told["votes"]:
        votes = [(v["voter"], f"{v['score']:+.2f}", v["confidence"], v["weight"], v["reason"]) for v in told["votes"]]
        parts.append(columns(votes, ("voter", "score", "confidence", "weight", "reason")))
        used = [(v["voter"], f"used {m['id']}  {m['text'] or ''}") for v in told["votes"] for m in v["memories"]]
        if used:
            parts.append(fields(used))
    parts.append(fields(_end(told, metric)))
    if told["models"]:
        heads = ("model asked by", "prompt", "edition", "model", "tokens", "cost", "answer")
        parts.append(columns([_call(call) for call in told["models"]], heads))
    return "\n\n".join(parts)


def _call(call: dict[str, Any]) -> tuple[object, ...]:
    seat = call["role"] if call["role"] == call["seat"] else f"{call['role']} {call['seat']}"
    answer = call["error"] or call["source"] + (f", repair {call['repair']}" if call["repair"] else "")
    tokens = call["input_tokens"] + call["output_tokens"]
    return seat, call["prompt"], call["edition"], call["model_id"], tokens, f"${call['cost_usd']:.4f}", answer


def _parent(parent: dict[str, Any], metric: str) -> str:
    by = f" by {parent['proposer']}" if parent["proposer"] else ""
    return f"{parent['id']}{by}" + ("" if parent["value"] is None else f", {metric} {parent['value']:.5g}")


def _end(told: dict[str, Any], metric: str) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = []
    if told["same_as"]:
        rows.append(("agenda", f"not voted on: {told['same_as']} had the same configuration"))
    if told["tally"]:
        vetoes = told["tally"]["vetoed_by"]
        rows.append(
            ("tally", f"{told['tally']['score']:+.2f}" + (f", vetoed by {', '.join(vetoes)}" if vetoes else ""))
        )
    if ruling := told["ruling"]:
        rows.append(("ruling", f"{ruling['decision']} (rule {ruling['rule']}, risk {ruling['risk']:.2f})"))
        rows.append(("", ruling["reason"]))
        if ruling["amended_config"]:
            rows.append(("amended to", short(ruling["amended_config"], 2000)))
    if applied := told["applied"]:
        rows.append(("carried out", f"{applied['status']}: {applied['reason']}"))
        return rows
    outcome = told["outcome"]
    if outcome is None:
        rows.append(("outcome", "it was not carried out" if ruling else "not known yet"))
        return rows
    rows.append(("job", f"{outcome['job']} {outcome['status']} in {duration(outcome['seconds'])}"))
    if outcome["value"] is None:
        rows.append(("outcome", outcome["reason"] or "no result"))
    else:
        gain = "" if outcome["gain"] is None else f" ({outcome['gain']:+.3g} against the baseline)"
        rows.append(("outcome", f"{metric} {outcome['value']:.5g}{gain}"))
    rows += _prediction(outcome["prediction"], metric)
    if told["calibration"]:
        rows.append(("calibration", f"of all predictions so far {calibration_line(told['calibration'])}"))
    best = told["became_best"]
    if best["then"]:
        by = "" if best["by"] is None else f" by {best['by']:+.3g}"
        rows.append(("best", f"it became the best{by}; {'it still is' if best['still'] else 'another is by now'}"))
    elif best["still"]:
        above = outcome["gain"] is not None and outcome["gain"] > 0
        text = "by all its runs the best; another was ahead when it ended" if above else "the best, below the baseline"
        rows.append(("best", text))
    else:
        rows.append(("best", "it did not become the best"))
    return rows


def _prediction(prediction: dict[str, Any] | None, metric: str) -> list[tuple[str, object]]:
    if prediction is None:
        return [("predicted", "nothing")]
    text = f"{metric} {around(prediction['value'], prediction['sd'])}"
    if prediction["failure_probability"] >= 0.005:
        text += f", failure {prediction['failure_probability']:.0%}"
    if prediction["difference"] is not None:
        better = "better" if prediction["difference"] >= 0 else "worse"
        text += f"; it was {signed(abs(prediction['difference']), prediction['sd'])[1:]} {better}"
        if prediction["sds_off"] is not None:
            text += f", {abs(prediction['sds_off']):.1f} sd off"
    return [("predicted", text)]
