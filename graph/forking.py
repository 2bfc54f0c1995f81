"""A fork: a new campaign with the past of another up to a point, and from there on a life of its own.

The parent is not touched, and can be gone on with.  A fork without edits that is gone on with comes to the same end:
what roles see and draw depends on the past and the campaign's seed, and not on the campaign's id, and a job that the
parent has run is not run again.  Only the ids of what it does from then on are its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import ConfigError, UsageError
from core.events import (
    AnyEvent,
    CampaignStarted,
    CycleFinished,
    ForkedFrom,
    GuidanceGiven,
    JobFinished,
    LessonLearned,
    VerdictReached,
)
from core.forks import ForkPoint
from core.guidance import Guidance
from graph.budgets import with_budgets
from graph.fork_edits import edited
from graph.shared_past import events_up_to, own_rules, shared_effects
from memory.approvals import Approvals
from memory.guidance import checked_text
from memory.ledger import Ledger, StoredCampaign
from memory.lineage import forked_from

__all__ = ["Share", "check_forked", "fork", "share_of"]


FORKED = ("experiment", "code")
"""Kinds of campaigns whose past is whole in the ledger."""


@dataclass(frozen=True)
class Share:
    """What a campaign has, or has beyond a point."""

    cycles: int
    trials: int
    lessons: int
    verdict: bool
    best: float | None
    """The best value of the metric among the trials."""


def check_forked(parent: StoredCampaign) -> None:
    """Raises ConfigError for a campaign that has no past to go back to."""
    if parent.definition.kind not in FORKED:
        raise ConfigError(
            f"{parent.id} works on a running service, which has no past to go back to: it cannot be forked",
            where=f"kind {parent.definition.kind}",
            hint="`improve --new` begins afresh, from the files of your campaign",
        )


def fork(
    ledger: Ledger,
    parent: StoredCampaign,
    point: ForkPoint,
    *,
    name: str | None = None,
    sets: Mapping[str, Any] | None = None,
    guidance: Sequence[str] = (),
    edits: Mapping[str, Any] | None = None,
    checkpoint: str = "",
    by: str = "human",
) -> StoredCampaign:
    """Make the fork, in one transaction: killed at any point, it is there whole or not at all.

    `name`: its id (default: the next number of its name).  `sets`: budgets by key; `guidance`: sentences that it begins
    with; `edits`: agenda or rulings at the point.  Raises NotFoundError for a point that the campaign has not come to,
    ConflictError for a name that is taken, UsageError and ConfigError for edits that do not fit.
    """
    check_forked(parent)
    definition = with_budgets(parent.definition, sets or {}, "fork")
    past = events_up_to(ledger.events(parent.id), point)
    rules = [rule for rule in Approvals(ledger).rules(parent.id) if rule.campaign_id == parent.id]
    sentences = [checked_text(text) for text in guidance]
    retell = edited(past, definition, parent.id, point, edits) if edits else None
    origin = forked_from(ledger, parent.id)
    told = {"set": dict(sets or {}), "guidance": sentences, **(edits or {})}
    if name is not None:
        _check_name(name)

    def begun(fork_id: str) -> tuple[list[AnyEvent], Any]:
        where = {"campaign_id": fork_id}
        began = ForkedFrom(
            parent=parent.id,
            root=origin.root if origin else parent.id,
            point=point,
            checkpoint=checkpoint,
            edits={key: value for key, value in told.items() if value},
            by=by,
            **where,
        )
        started = CampaignStarted(name=definition.name, kind=definition.kind, seed=definition.seed, **where)
        copied = [event.model_copy(update=where) for event in (retell(fork_id) if retell else past)]
        known = sum(isinstance(event, GuidanceGiven) for event in past)
        given = [
            GuidanceGiven(
                guidance=Guidance(
                    id=f"g{known + number}", text=text, author=by, given_at=ledger.clock(), campaign_id=fork_id
                ),
                **where,
            )
            for number, text in enumerate(sentences, 1)
        ]
        effects = shared_effects(ledger, parent, fork_id, past)
        return [began, started, *copied, *own_rules(rules, fork_id), *given], effects

    return ledger.fork_campaign(definition, name, begun)


def share_of(ledger: Ledger, stored: StoredCampaign, point: ForkPoint) -> tuple[Share, Share]:
    """What a fork from there would keep, and what it would not have."""
    told = list(ledger.events(stored.id))
    past = events_up_to(told, point)
    ids = {event.key for event in past}
    return _share(stored, past), _share(stored, [event for event in told if event.key not in ids])


def _share(stored: StoredCampaign, told: Sequence[AnyEvent]) -> Share:
    trials = [event for event in told if isinstance(event, JobFinished) and event.purpose == "proposal"]
    scores = [event.score for event in trials if event.score is not None]
    return Share(
        cycles=sum(isinstance(event, CycleFinished) for event in told),
        trials=len(trials),
        lessons=sum(isinstance(event, LessonLearned) for event in told),
        verdict=any(isinstance(event, VerdictReached) for event in told),
        best=stored.definition.objective.value(max(scores)) if scores else None,
    )


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}", name):
        raise UsageError(
            f"{name!r} is no name for a campaign", where="name", hint="letters, digits, `.`, `_` and `-`, up to 120"
        )
