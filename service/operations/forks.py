"""Going back in a campaign: the points of its past, and a fork from one of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from memory.ledger import StoredCampaign
from service.operations.begun import made_once
from service.operations.desk import Desk
from service.operations.ids import CampaignId, OfCampaign, Text
from service.operations.operation import Told

__all__ = ["Fork", "Forked", "PointsTold", "checkpoints", "fork"]

PointName = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-z/-]{1,60}$",
        description="a whole cycle such as 3, a node that comes next such as 3/voter, or the id of a checkpoint",
    ),
]
Key = Annotated[str, Field(pattern=r"^[A-Za-z_]+(\.[A-Za-z_]+)*$", max_length=100)]


class PointTold(Told):
    """A place to begin again.  `checkpoint` is LangGraph's id; null where only the ledger knows the place."""

    point: str
    cycle: int
    stage: str | None = Field(description="the node that comes next; null after a whole cycle")
    checkpoint: str | None
    at: float = Field(description="UTC seconds")


class PointsTold(Told):
    """The whole cycles, and the checkpoints of those that are kept; nodes of older cycles are points too."""

    campaign: str
    points: list[PointTold]
    forks: list[str] = Field(description="ids of the campaigns that were forked from this one")


def checkpoints(taken: OfCampaign, desk: Desk) -> PointsTold:
    from graph.points import points_of
    from memory.lineage import forks_of

    stored = desk.ledger.campaign(taken.campaign)
    points = [
        {
            "point": str(one.point),
            "cycle": one.point.cycle,
            "stage": one.point.stage,
            "checkpoint": one.checkpoint or None,
            "at": one.at,
        }
        for one in points_of(desk.folder, desk.ledger, stored)
    ]
    forks = [event.campaign_id for event in forks_of(desk.ledger, stored.id)]
    return PointsTold.model_validate({"campaign": stored.id, "points": points, "forks": forks})


class Fork(OfCampaign):
    """A new campaign with the past of this one up to a point.  Nothing is run; `campaigns.resume` goes on with it."""

    at: PointName
    name: CampaignId | None = Field(default=None, max_length=64, description="its id; left out: the next free number")
    set: dict[Key, Any] = Field(default={}, max_length=20, description="budgets by key, such as budget.cycles")
    guidance: list[Text] = Field(default=[], max_length=20, description="sentences that it begins with")
    agenda: dict[str, dict[str, Any]] = Field(
        default={}, max_length=100, description="at a node `voter`: other configurations, by proposal"
    )
    rulings: dict[str, dict[str, Any]] = Field(
        default={}, max_length=100, description="at a node `executor`: `decision` and `config`, by proposal"
    )


class Forked(Told):
    campaign: str
    parent: str
    at: str
    cycles: int = Field(description="whole ones that it has")
    resume: str = Field(description="the command that goes on with it")


def fork(taken: Fork, desk: Desk) -> Forked:
    from graph import forking
    from graph.points import find_point
    from service.state import resume_command

    stored = desk.ledger.campaign(taken.campaign)
    found = find_point(desk.folder, desk.ledger, stored, taken.at)

    def make(name: str | None) -> StoredCampaign:
        return forking.fork(
            desk.ledger,
            stored,
            found.point,
            name=name,
            sets=taken.set,
            guidance=taken.guidance,
            edits={key: value for key, value in (("agenda", taken.agenda), ("rulings", taken.rulings)) if value},
            checkpoint=found.checkpoint,
            by=desk.asker.actor or "human",
        )

    made = made_once(desk, stored.definition.name, taken.name, make)
    return Forked(
        campaign=made.id,
        parent=stored.id,
        at=str(found.point),
        cycles=found.point.cycle - (found.point.stage is not None),
        resume=resume_command(made.id),
    )
