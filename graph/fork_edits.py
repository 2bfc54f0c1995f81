"""What may be edited of the state that a fork begins with: the agenda before the votes, the rulings before their jobs.

The ledger is the truth, so an edit is an event of the fork in place of the parent's: the nodes find it there as the
answer that was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.campaign import Campaign
from core.errors import ConfigError, NotFoundError, nearest
from core.events import AnyEvent, ProposalMade, ProposalRuled
from core.forks import ForkPoint
from core.records import Proposal, Ruling
from graph.approval import DECIDED
from graph.approvals import checked_config
from memory.history import Cycle, History

__all__ = ["EDITED", "editable", "edited"]

EDITED = "fork"
"""What stands in a ruling's event in place of an approval."""

AGENDA_BEFORE = ("sharpen", "voter")
RULINGS_BEFORE = ("approval", "executor")

State = dict[str, dict[str, Any]]


def editable(past: Sequence[AnyEvent], campaign_id: str, point: ForkPoint) -> State:
    """`agenda` (configuration by proposal) or `rulings` (decision and configuration by proposal) at that point.

    Raises ConfigError where there is nothing to edit.
    """
    cycle = _cycle(past, campaign_id, point)
    if point.stage in AGENDA_BEFORE:
        proposals = {name: cycle.voted_on(name) for name in cycle.proposals}
        return {"agenda": {name: dict(one.config) for name, one in proposals.items() if one.kind == "experiment"}}
    if point.stage in RULINGS_BEFORE:
        return {"rulings": {name: _ruling(cycle, name) for name in cycle.rulings}}
    n = point.cycle + (point.stage is None)
    raise ConfigError(
        f"there is nothing to edit at {point}",
        where="point",
        hint=f"the agenda can be edited at {n}/voter, the rulings at {n}/executor",
    )


def edited(
    past: Sequence[AnyEvent], campaign: Campaign, campaign_id: str, point: ForkPoint, wanted: Mapping[str, Any]
) -> Callable[[str], list[AnyEvent]]:
    """The past with `wanted` (of the shape of `editable`; what is left out stays) for the fork of a given id.

    Raises ConfigError for a configuration that cannot run and for whatever is not understood.
    """
    state = editable(past, campaign_id, point)
    _must_fit(wanted, state)
    cycle = _cycle(past, campaign_id, point)
    changes = {
        name: _checked(value, state[part][name], part, name, campaign)
        for part, entries in wanted.items()
        for name, value in entries.items()
        if value != state[part][name]
    }

    def told(fork: str) -> list[AnyEvent]:
        if point.stage in AGENDA_BEFORE:
            return [_made_again(event, changes, fork, point.cycle) for event in past]
        rulings = [_ruled(cycle, name, value) for name, value in changes.items()]
        ruled = (ProposalRuled(campaign_id=fork, cycle=point.cycle, ruling=one, approval=EDITED) for one in rulings)
        return [*past, *ruled]

    return told


def _made_again(event: AnyEvent, changes: Mapping[str, Any], fork: str, cycle: int) -> AnyEvent:
    if not isinstance(event, ProposalMade) or event.cycle != cycle or event.proposal.id not in changes:
        return event
    old = event.proposal
    new = Proposal.make(
        campaign_id=fork,
        cycle=cycle,
        proposer=old.proposer,
        config=changes[old.id],
        rationale=f"edited by a person: {old.rationale}",
        parents=(old.id,),
        source="human",
    )
    return event.model_copy(update={"proposal": new})


def _ruled(cycle: Cycle, name: str, value: Mapping[str, Any]) -> Ruling:
    old, proposal = cycle.rulings[name].ruling, cycle.voted_on(name)
    told: dict[str, Any] = {
        "rule": DECIDED,
        "source": "human",
        "reason": "edited by a person in a fork",
        "amended": None,
    }
    if value["decision"] == "reject":
        return old.model_copy(update={**told, "decision": "reject"})
    if value.get("config", proposal.config) == proposal.config:
        return old.model_copy(update={**told, "decision": "accept"})
    update = {"config": value["config"], "expected": None, "expected_metrics": {}, "source": "human"}
    return old.model_copy(update={**told, "decision": "amend", "amended": proposal.model_copy(update=update)})


def _ruling(cycle: Cycle, name: str) -> dict[str, Any]:
    decision, to_run = cycle.rulings[name].ruling.decision, cycle.carried_out(name)
    told: dict[str, Any] = {"decision": "accept" if decision == "amend" else decision}
    return {**told, "config": dict(to_run.config)} if to_run.kind == "experiment" else told


def _cycle(past: Sequence[AnyEvent], campaign_id: str, point: ForkPoint) -> Cycle:
    history = History(campaign_id)
    for event in past:
        history.apply(event)
    return history.cycle(point.cycle)


def _must_fit(wanted: Mapping[str, Any], state: State) -> None:
    for part, entries in wanted.items():
        if part not in state:
            raise ConfigError(f"unknown key {part!r}", where="edit", hint=nearest(part, state))
        if not isinstance(entries, Mapping):
            raise ConfigError(f"{part} is no mapping by proposal", where="edit")
        for name in entries:
            if name not in state[part]:
                hint = nearest(str(name), state[part]) if state[part] else "there is none"
                raise NotFoundError(f"there is no proposal {name!r} here", where=f"edit, {part}", hint=hint)
    for part, entries in state.items():
        if gone := set(entries) - set(wanted.get(part, entries)):
            raise ConfigError(
                f"{', '.join(sorted(gone))} cannot be taken away",
                where=f"edit, {part}",
                hint="reject it: `decision: reject` among the rulings, before the node executor",
            )


def _checked(value: Any, old: Mapping[str, Any], part: str, name: str, campaign: Campaign) -> dict[str, Any]:
    where = f"edit, {part}.{name}"
    if not isinstance(value, Mapping):
        raise ConfigError("it is no mapping", where=where)
    if part == "agenda":
        return checked_config(campaign, dict(value), where)
    if unknown := set(value) - set(old):
        raise ConfigError(f"unknown key {min(unknown)!r}", where=where, hint=nearest(min(unknown), old))
    decision = value.get("decision", old["decision"])
    if decision not in ("accept", "reject"):
        raise ConfigError(f"decision = {decision!r} is not known", where=where, hint="accept or reject")
    if "config" not in value:
        return {"decision": decision}
    if not isinstance(value["config"], Mapping):
        raise ConfigError("config is no mapping", where=where)
    return {"decision": decision, "config": checked_config(campaign, dict(value["config"]), where)}
