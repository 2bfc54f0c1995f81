"""The council of a campaign: who sits there, who was right, and giving a seat to another persona while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from core.campaign import Campaign
from core.errors import ConfigError, UsageError
from memory.history import History
from memory.ledger import StoredCampaign
from service.operations.desk import Desk
from service.operations.ids import OfCampaign
from service.operations.operation import Told

__all__ = ["CouncilTold", "SwitchSeat", "Switched", "agents", "switch", "switch_seat"]

Row = dict[str, Any]


class CouncilTold(Told):
    """Seats of personas, and the records of voters, proposers, and of rules beside models."""

    campaign: str
    metric: str
    personas: list[Row]
    voters: list[Row]
    proposers: list[Row]
    sources: list[Row]


def agents(taken: OfCampaign, desk: Desk) -> CouncilTold:
    from agents.personas import PersonaRegistry
    from service import standings
    from service.explain import Explanations

    stored = desk.ledger.campaign(taken.campaign)
    campaign, here = stored.definition, Path(stored.definition.here)
    history = History.load(
        desk.ledger, stored.id
    )  # its own: explaining everything takes too long to hold the shared one
    explanations = Explanations(desk.ledger, stored, history)
    told = [explanations.of(proposal) for cycle in history.cycles.values() for proposal in cycle.proposals]
    seated = {seat: PersonaRegistry(here, file).seated(seat) for seat, file in seats_of(campaign).items()}
    return CouncilTold(
        campaign=stored.id,
        metric=campaign.objective.metric,
        personas=[
            {"seat": seat, "persona": who.name, "permissions": list(who.permissions), "model": who.model or None}
            for seat, who in seated.items()
        ],
        voters=[{k: v for k, v in row.items() if k != "spark"} for row in standings.voters(history)],
        proposers=standings.proposers(stored, history, told),
        sources=standings.by_source(stored, history, told),
    )


class SwitchSeat(OfCampaign):
    """Give a seat to another persona from the next cycle on."""

    seat: Annotated[str, Field(min_length=1, max_length=100)]
    persona: Annotated[str, Field(min_length=1, max_length=100)]


class Switched(Told):
    seat: str
    before: str
    after: str


def switch(taken: SwitchSeat, desk: Desk) -> Switched:
    """Also in a campaign that another process runs."""
    stored = desk.ledger.campaign(taken.campaign)
    try:
        return switch_seat(stored, taken.seat, taken.persona)
    except UsageError as error:
        raise ConfigError(error.what, where="seat", hint=error.hint) from error


def switch_seat(stored: StoredCampaign, seat: str, persona: str) -> Switched:
    """Raises UsageError for a seat that is none, NotFoundError for a persona."""
    from agents.personas import PersonaRegistry

    seats = seats_of(stored.definition)
    if seat not in seats:
        raise UsageError(
            f"no persona sits at {seat!r}", where="--switch", hint=f"seats: {', '.join(seats) or 'none; no model'}"
        )
    registry = PersonaRegistry(Path(stored.definition.here), seats[seat])
    before = registry.seated(seat).name
    registry.switch(seat, persona)
    return Switched(seat=seat, before=before, after=persona)


def seats_of(campaign: Campaign) -> dict[str, str]:
    """The personas' seats among proposers and voters, with the file of their personas."""
    from agents.model_seats import with_model_seats
    from agents.personas import FILE

    full = campaign.council
    if campaign.wants_model():
        full = with_model_seats(full, campaign.kind, campaign.model_of)
    uses: Sequence[Any] = [*full.proposers, *full.voting]
    default = {"persona": "critical"}
    named = [
        (use, str({**(default if use.use == "persona" else {}), **use.parameters}.get("persona", ""))) for use in uses
    ]
    return {name: str(use.parameters.get("file", FILE)) for use, name in named if name}
