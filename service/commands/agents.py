"""`agents`: who sits in the council, who was right, and giving a seat to another persona while it runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UsageError
from service.output import Output
from service.state import open_folder, pick_campaign
from service.tables import columns

if TYPE_CHECKING:
    from core.campaign import Campaign
    from memory.ledger import Ledger, StoredCampaign

__all__ = ["agents", "told_of_agents"]


def agents(args: argparse.Namespace, output: Output) -> int:
    """`agents [ID] [--switch SEAT=PERSONA]`"""
    with open_folder(args, must_exist=True).open_ledger() as ledger:
        stored = pick_campaign(ledger, args.id)
        switched = [_switch(text, stored.definition) for text in args.switch or []]
        told = {"campaign": stored.id, "switched": switched, **told_of_agents(ledger, stored)}
        output.result(told, _text(told))
    return 0


def _switch(text: str, campaign: Campaign) -> dict[str, str]:
    """Give a seat to another persona from the next cycle on, also in a campaign that another process runs."""
    from agents.personas import PersonaRegistry

    seat, equals, name = text.partition("=")
    seats = _seats(campaign)
    if not equals or not name:
        raise UsageError(f"{text!r} is not SEAT=PERSONA", where="--switch", hint="such as --switch critical=research")
    if seat not in seats:
        raise UsageError(
            f"no persona sits at {seat!r}", where="--switch", hint=f"seats: {', '.join(seats) or 'none; no model'}"
        )
    registry = PersonaRegistry(Path(campaign.here), seats[seat])
    before = registry.seated(seat).name
    registry.switch(seat, name)
    return {"seat": seat, "before": before, "after": name}


def _seats(campaign: Campaign) -> dict[str, str]:
    """The personas' seats among proposers and voters, with the file of their personas."""
    from agents.model_seats import with_model_seats
    from agents.personas import FILE

    full = with_model_seats(campaign.council, campaign.kind) if campaign.wants_model() else campaign.council
    uses = [*full.proposers, *full.voting]
    default = {"persona": "critical"}
    named = [
        (use, str({**(default if use.use == "persona" else {}), **use.parameters}.get("persona", ""))) for use in uses
    ]
    return {name: str(use.parameters.get("file", FILE)) for use, name in named if name}


def told_of_agents(ledger: Ledger, stored: StoredCampaign) -> dict[str, Any]:
    from agents.personas import PersonaRegistry
    from memory.history import History
    from service import standings
    from service.explain import Explanations

    campaign, history = stored.definition, History.load(ledger, stored.id)
    explanations = Explanations(ledger, stored, history)
    proposals = [explanations.of(proposal) for cycle in history.cycles.values() for proposal in cycle.proposals]
    here = Path(campaign.here)
    seated = {seat: PersonaRegistry(here, file).seated(seat) for seat, file in _seats(campaign).items()}
    return {
        "metric": campaign.objective.metric,
        "personas": [
            {"seat": seat, "persona": who.name, "permissions": list(who.permissions), "model": who.model or None}
            for seat, who in seated.items()
        ],
        "voters": [{k: v for k, v in row.items() if k != "spark"} for row in standings.voters(history)],
        "proposers": standings.proposers(stored, history, proposals),
        "sources": standings.by_source(stored, history, proposals),
    }


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
