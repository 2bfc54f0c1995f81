"""Starting, going on with and stopping campaigns.  A run is a process of its own, and outlives whoever started it."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

import service
from core.campaign import Campaign
from core.errors import ConflictError, NotFoundError, nearest
from core.settings import Settings
from memory.ledger import StoredCampaign
from service.detached import log_of, start_detached
from service.operations.begun import Begun, begun_by, made_once
from service.operations.desk import Desk
from service.operations.ids import OfCampaign
from service.operations.operation import Taken, Told

__all__ = [
    "CycleMore",
    "Resume",
    "Run",
    "Start",
    "Stopped",
    "campaign_of",
    "done_of",
    "dry",
    "known",
    "one_cycle",
    "resume",
    "start",
    "started",
    "stop",
]

EXAMPLE = Path(service.__file__).resolve().parent.parent / "campaigns" / "breast_cancer" / "campaign.yaml"
"""What is started where no campaign is registered."""
MOST_CYCLES = 100_000


class Start(Taken):
    """A new campaign of a registered file."""

    campaign: str | None = Field(
        default=None, max_length=64, description="name of a registered campaign; left out: the first one"
    )
    cycles: int | None = Field(default=None, ge=1, le=MOST_CYCLES)
    until: str | None = Field(default=None, max_length=200, description="stop when reached, such as auc>=0.99")
    seed: int | None = Field(default=None, ge=0, le=2**31)
    dry_run: bool = Field(default=False, description="check everything and say what would run; start nothing")


class Run(Told):
    """A campaign that was started; `pid` is its process, null when a repetition finds its end; it prints to `log`."""

    campaign: str
    status: str = Field(description="started, or checked when nothing was to be started")
    pid: int | None
    log: str | None
    cycles: int
    risk_score: float


def dry(taken: Any, _desk: Desk) -> Mapping[str, Any]:
    """A person has registered the campaign's file, and its budget bounds it: that is a low risk."""
    return {"dry_run": taken.dry_run, "risk_level": "low"}


def known(_taken: Any, _desk: Desk) -> Mapping[str, Any]:
    """Going on with what was begun."""
    return {"risk_level": "low"}


def start(taken: Start, desk: Desk) -> Run:
    """A new campaign each time; under an idempotency key, once."""
    campaign = campaign_of(desk, taken.campaign, cycles=taken.cycles, until=taken.until, seed=taken.seed)
    if taken.dry_run:
        return Run(
            campaign=campaign.name,
            status="checked",
            pid=None,
            log=None,
            cycles=campaign.budget.cycles,
            risk_score=desk.risk,
        )
    stored = made_once(desk, campaign.name, None, lambda chosen: desk.ledger.create_campaign(campaign, chosen))
    return started(desk, stored, stored.definition.budget.cycles)


class Resume(OfCampaign):
    """Go on with a campaign; `cycles` in all where its budget is to be another."""

    cycles: int | None = Field(default=None, ge=1, le=MOST_CYCLES)


def resume(taken: Resume, desk: Desk) -> Run:
    stored = desk.ledger.campaign(taken.campaign)
    if stored.status == "failed" and not desk.noted:
        raise ConflictError(
            f"{stored.id} has failed: its baseline does not run", where="campaign", hint="mend it, and start a new one"
        )
    cycles = taken.cycles or stored.definition.budget.cycles
    if stored.status == "finished" and not desk.noted and cycles <= done_of(desk, stored):
        raise ConflictError(f"{stored.id} is finished", where="campaign", hint="give more `cycles`, or start a new one")
    return started(desk, stored, cycles)


class CycleMore(OfCampaign):
    """One cycle more than were finished, then stop."""


def one_cycle(taken: CycleMore, desk: Desk) -> Run:
    begun, stored = begun_by(desk), desk.ledger.campaign(taken.campaign)
    cycles = begun.cycles if begun is not None else None
    return resume(Resume(campaign=stored.id, cycles=cycles or done_of(desk, stored) + 1), desk)


class Stopped(Told):
    """`asked`: whether its process was told to stop; it finishes its stage, keeps a checkpoint and ends by itself."""

    campaign: str
    asked: bool
    pid: int | None


def stop(taken: OfCampaign, desk: Desk) -> Stopped:
    stored = desk.ledger.campaign(taken.campaign)
    owner = desk.ledger.leases.owner(f"campaign {stored.id}")
    if owner is None:
        return Stopped(campaign=stored.id, asked=False, pid=None)
    if owner.pid == os.getpid():
        raise ConflictError(f"{stored.id} is run by the very process that was asked", where="campaign")
    return Stopped(campaign=stored.id, asked=owner.signal(signal.SIGTERM), pid=owner.pid)


def campaign_of(desk: Desk, name: str | None, **changes: Any) -> Campaign:
    """The registered campaign of that name, with other budgets.  Raises NotFoundError, ConfigError."""
    from graph.loading import load_campaign

    known = dict(desk.campaigns) or {"breast-cancer": EXAMPLE}
    chosen = next(iter(known)) if name is None else name
    if chosen not in known:
        raise NotFoundError(
            f"no campaign {chosen!r} is registered here",
            where="campaign",
            hint=f"`serve --campaign FILE` registers one; {nearest(chosen, known)}",
        )
    keys = {"cycles": "budget.cycles", "until": "until", "seed": "seed"}
    overrides = {keys[key]: value for key, value in changes.items() if value is not None}
    return load_campaign(known[chosen], overrides, defaults=defaults_of(desk.settings))


def defaults_of(settings: Settings) -> dict[str, Any]:
    """What the settings say where the campaign's file says nothing."""
    return {"model": settings.model} if settings.model else {}


def done_of(desk: Desk, stored: StoredCampaign) -> int:
    """The cycles that the campaign has finished."""
    with desk.histories.of(stored.id) as history:
        return history.last_finished_cycle


def started(desk: Desk, stored: StoredCampaign, cycles: int, options: Sequence[str] = ()) -> Run:
    """The campaign's run up to so many cycles, in a process of its own; under a key, once.

    Raises ConflictError while another process works on it.
    """
    begun, pid = begun_by(desk), None
    owner = desk.ledger.leases.owner(f"campaign {stored.id}")
    if owner is not None:
        if begun is None or begun.cycles is None:  # else this very request has started it, before a crash
            raise ConflictError(
                f"{stored.id} is being run by process {owner.pid}", where="campaign", hint="wait, or stop it"
            )
        pid = owner.pid
    elif begun is None or not begun.has_run(stored):
        if begun is None or begun.cycles is None:
            begun = Begun(campaign=stored.id, cycles=cycles, done=done_of(desk, stored), sessions=stored.sessions)
            desk.keep(begun.model_dump_json())
        words = ["--cycles", str(cycles), *options]
        pid = start_detached(desk.folder, desk.ledger, desk.settings, stored.id, words, stopping=desk.stopping).pid
    return Run(
        campaign=stored.id,
        status="started",
        pid=pid,
        log=str(log_of(desk.folder, stored.id)),
        cycles=cycles,
        risk_score=desk.risk,
    )
