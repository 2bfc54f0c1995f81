"""The trajectories of a campaign: what was tried, from which parents, by which operator, and what came of it."""

from __future__ import annotations

from typing import Any

from service.operations.desk import Desk
from service.operations.ids import CampaignId, Paged
from service.operations.operation import Told
from service.operations.pages import page

__all__ = ["TrajectoriesOf", "TrajectoryPage", "trajectories"]


class TrajectoriesOf(Paged):
    """The trajectories of a campaign, the oldest first."""

    campaign: CampaignId


class TrajectoryPage(Told):
    campaign: str
    trajectories: list[dict[str, Any]]
    next: str | None = None


def trajectories(taken: TrajectoriesOf, desk: Desk) -> TrajectoryPage:
    stored = desk.ledger.campaign(taken.campaign)
    with desk.histories.of(stored.id) as history:
        kept = list(history.trajectories.values())
    shown, following = page(kept, lambda trajectory: trajectory.id, taken.limit, taken.after)
    rows = [trajectory.model_dump(mode="json", exclude={"version"}) for trajectory in shown]
    return TrajectoryPage(campaign=stored.id, trajectories=rows, next=following)
