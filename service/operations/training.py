"""Training runs by the contract of `/admin/training`: a run is a campaign, each of its cycles an episode."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from core.episodes import episode_id_of
from core.errors import ConflictError, NotFoundError
from memory.ledger import StoredCampaign
from service.operations import runs
from service.operations.begun import begun_by, made_once
from service.operations.desk import Desk
from service.operations.ids import RunId
from service.operations.operation import Taken, Told
from service.operations.runs import MOST_CYCLES

__all__ = ["StartTraining", "Training", "start_training"]


class StartTraining(Taken):
    """Start a training run.  Under a `run_id` that is known, that run is gone on with."""

    run_id: RunId | None = Field(
        default=None, description="what to call it; left out: the campaign's name and a number"
    )
    episodes: Annotated[int, Field(ge=1, le=MOST_CYCLES)] = 1
    dry_run: bool = Field(default=False, description="start nothing, and say what would be started")
    task_description: Annotated[str, Field(max_length=4000)] = ""
    campaign: str | None = Field(
        default=None, max_length=64, description="name of a registered campaign; left out: the first one"
    )


class Training(Told):
    """`episode_id` is the first one that this call brings about."""

    status: Literal["started", "dry_run"]
    run_id: str
    episode_id: str
    episodes: int
    risk_score: float
    campaign: str
    pid: int | None
    log: str | None


def start_training(taken: StartTraining, desk: Desk) -> Training:
    """`episodes` cycles: of a new run, or so many more of a known one."""
    begun = begun_by(desk)
    known = _known(desk, begun.campaign if begun is not None else taken.run_id)
    done = 0 if known is None else runs.done_of(desk, known)
    if taken.dry_run:
        name = known.definition.name if known else runs.campaign_of(desk, taken.campaign, cycles=taken.episodes).name
        run_id = taken.run_id or (known.id if known else desk.ledger.next_id(name))
        return _told(taken, desk, run_id, done, name)
    if known is None:
        campaign = runs.campaign_of(desk, taken.campaign, cycles=taken.episodes)
        if taken.task_description:
            campaign = campaign.model_copy(update={"description": taken.task_description})
        known = made_once(desk, campaign.name, taken.run_id, lambda name: desk.ledger.create_campaign(campaign, name))
    elif known.status == "failed" and begun is None:
        raise ConflictError(
            f"{known.id} has failed: its baseline does not run", where="run_id", hint="take another one"
        )
    if begun is not None and begun.cycles is not None:  # it was about to start, before a crash
        done = begun.done
    run = runs.started(desk, known, done + taken.episodes)
    return _told(taken, desk, known.id, done, known.definition.name, run)


def _known(desk: Desk, run_id: str | None) -> StoredCampaign | None:
    if run_id is None:
        return None
    try:
        return desk.ledger.campaign(run_id)
    except NotFoundError:
        return None


def _told(
    taken: StartTraining, desk: Desk, run_id: str, done: int, campaign: str, run: runs.Run | None = None
) -> Training:
    return Training(
        status="dry_run" if run is None else "started",
        run_id=run_id,
        episode_id=episode_id_of(run_id, done + 1),
        episodes=taken.episodes,
        risk_score=desk.risk,
        campaign=campaign,
        pid=run.pid if run else None,
        log=run.log if run else None,
    )
