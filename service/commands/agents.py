"""`agents`: who sits in the council, who was right, and giving a seat to another persona while it runs."""

from __future__ import annotations

import argparse
from typing import Any

from core.errors import UsageError
from core.policy import Action
from service.output import Output
from service.policy import ask_locally
from service.state import local_desk, pick_campaign
from service.tables import columns

__all__ = ["agents"]


def agents(args: argparse.Namespace, output: Output) -> int:
    """`agents [ID] [--switch SEAT=PERSONA]`"""
    from service.operations import council
    from service.operations.ids import OfCampaign

    with local_desk(args) as desk:
        stored = pick_campaign(desk.ledger, args.id)
        switched = []
        for text in args.switch or []:
            seat, equals, name = text.partition("=")
            if not equals or not name:
                hint = "such as --switch critical=research"
                raise UsageError(f"{text!r} is not SEAT=PERSONA", where="--switch", hint=hint)
            ask_locally(desk.gate, Action.COUNCIL_CHANGE, details={"campaign": stored.id, "switch": text})
            switched.append(council.switch_seat(stored, seat, name).model_dump(mode="json"))
        told = council.agents(OfCampaign(campaign=stored.id), desk).model_dump(mode="json")
        told = {"campaign": stored.id, "switched": switched, **told}
        output.result(told, _text(told))
    return 0


def _text(told: dict[str, Any]) -> str:
    best = f"best {told['metric']}"
    came_of = ("proposals", "carried out", "ok", best, "new bests")
    seats = [(p["seat"], p["persona"], ", ".join(p["permissions"])) for p in told["personas"]]
    voters = [
        (v["name"], v["source"], v["votes"], v["judged"], _two(v["accuracy"]), _two(v["weight"]))
        for v in told["voters"]
    ]
    proposers = [(p["name"], p["source"], *_came_of(p), _percent(p["beat"])) for p in told["proposers"]]
    sources = [(s["source"], *_came_of(s), s["voters"], s["judged"], _two(s["credit"])) for s in told["sources"]]
    tables = [
        columns(seats, ("seat", "persona", "may")) if seats else "",
        columns(voters, ("voter", "by", "votes", "judged", "mean credit", "weight")) if voters else "",
        columns(proposers, ("proposer", "by", *came_of, "beat of earlier")) if proposers else "nobody has proposed yet",
        columns(sources, ("decided by", *came_of, "voters", "judged votes", "mean credit")) if len(sources) > 1 else "",
    ]
    switched = [
        f"{one['seat']}: {one['before']} leaves, {one['after']} sits there from the next cycle on"
        for one in told["switched"]
    ]
    return "\n\n".join(part for part in ("\n".join(switched), *tables) if part)


def _came_of(row: dict[str, Any]) -> tuple[Any, ...]:
    best = None if row["best"] is None else f"{row['best']:.5g}"
    return row["proposals"], row["carried_out"], row["ok"], best, row["new_bests"]


def _two(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str | None:
    return None if value is None else f"{value:.0%}"
