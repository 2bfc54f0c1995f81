"""`best`, `trend`, `compare`: the trials of a campaign at a glance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.errors import NotFoundError, UsageError, nearest
from core.records import Experiment
from memory.history import History
from memory.ledger import StoredCampaign
from service.escape import escaped
from service.progress import short
from service.session.bars import sparkline
from service.session.names import Names
from service.state import find_subject, open_folder, pick_campaign
from service.tables import columns, fields

if TYPE_CHECKING:
    from service.session.session import Session

__all__ = ["best", "campaign_of", "compare", "trend"]

MARGIN = 30


def campaign_of(session: Session, name: str | None) -> str:
    """The id of the campaign that a name begins, or of the one worked on last.  Raises NotFoundError."""
    with open_folder(session.parse(["status"]), must_exist=True).open_ledger() as ledger:
        return pick_campaign(ledger, name).id


def best(session: Session, rest: str) -> int:
    """`best`"""
    if rest:
        raise UsageError("best takes nothing", where="best", hint=f"to say it to the council: guide best {rest[:60]}")
    with _loaded(session) as (stored, history):
        found = history.best()
        if found is None:
            session.output.result({"campaign": stored.id, "best": None}, f"{stored.id}: no trial has a result yet")
            return 0
        told, names = _told(found, stored, session.names), session.names
        baseline = history.baseline
        gain = found.score - baseline.mean if found.score is not None and baseline else None
        value = f"{stored.definition.objective.metric} {told['value']:.5g}"
        against = f"{value} ({gain:+.3g} against the baseline)" if gain is not None else value
        rows = [
            (names.of(told["proposal"]), f"{told['proposal']} by {told['proposer']} in cycle {told['cycle']}"),
            ("", against),
            ("config", short(found.config, 2000)),
        ]
        session.output.result({"campaign": stored.id, "best": told}, fields(rows))
    return 0


def trend(session: Session, rest: str) -> int:
    """`trend [METRIC]`"""
    with _loaded(session) as (stored, history):
        metric = rest or stored.definition.objective.metric
        trials = history.experiments()
        known = {name for e in trials for name in e.outcome.metrics} | {stored.definition.objective.metric}
        if metric not in known:
            raise NotFoundError(
                f"there is no metric {metric[:60]!r}", where=stored.id, hint=nearest(metric[:60], known)
            )
        told = [(e.proposal, e.outcome.metrics.get(metric)) for e in trials if e.outcome.ok]
        values = [value for _, value in told if value is not None and math.isfinite(value)]
        rows: list[tuple[str, Any]] = [(metric, f"{len(values)} trials")]
        if values:
            look = session.output.look()
            line = sparkline(values, max(8, look.width - MARGIN), unicode=look.unicode)
            rows = [
                (metric, f"{len(values)} trials, from {min(values):.5g} to {max(values):.5g}"),
                ("", line),
                ("first", f"{values[0]:.5g}"),
                ("last", f"{values[-1]:.5g}"),
            ]
        series = [{"proposal": proposal.id, "cycle": proposal.cycle, "value": value} for proposal, value in told]
        session.output.result({"campaign": stored.id, "metric": metric, "trials": series}, fields(rows))
    return 0


def compare(session: Session, rest: str) -> int:
    """`compare [A] [B]`: two trials; with one, that and the best; with none, the best and the baseline."""
    words = session.words(rest)
    if len(words) > 2:
        raise UsageError("two trials can be compared", where="compare", hint="compare d1 d2")
    with _loaded(session) as (stored, history):
        trials = {e.proposal.id: e for e in history.experiments()}
        chosen = [_trial(session, word, trials) for word in words]
        top = history.best()
        if len(chosen) < 2 and top is not None and top not in chosen:
            chosen.append(top)
        sides = [
            (f"{session.names.of(e.proposal.id)} {e.proposal.proposer}", e.config, e.outcome.metrics) for e in chosen
        ]
        if len(sides) < 2 and history.baseline is not None:
            sides.append(("baseline", history.baseline.config, history.baseline.metrics))
        if len(sides) < 2:
            raise NotFoundError("there are no two results yet", where=stored.id, hint="`run` first")
        (left, config_a, metrics_a), (right, config_b, metrics_b) = sides[:2]
        names = list(dict.fromkeys([*config_a, *config_b]))
        rows = [(name, config_a.get(name), config_b.get(name)) for name in names]
        rows += [(name, metrics_a[name], metrics_b[name]) for name in metrics_a if name in metrics_b]
        told = {"a": left, "b": right, "rows": [{"name": n, "a": a, "b": b} for n, a, b in rows]}
        session.output.result({"campaign": stored.id, **told}, columns(rows, ("", left, right)))
    return 0


@contextmanager
def _loaded(session: Session) -> Iterator[tuple[StoredCampaign, History]]:
    with open_folder(session.parse(["status"]), must_exist=True).open_ledger() as ledger:
        stored = pick_campaign(ledger, session.campaign)
        history = History.load(ledger, stored.id)
        session.names.read(history)
        yield stored, history


def _trial(session: Session, word: str, trials: dict[str, Experiment]) -> Experiment:
    with open_folder(session.parse(["status"])).open_ledger() as ledger:
        _, subject = find_subject(ledger, word)
    if subject not in trials:
        raise NotFoundError(f"{escaped(subject)} has no result", where="compare", hint="`history` lists the trials")
    return trials[subject]


def _told(found: Experiment, stored: StoredCampaign, names: Names) -> dict[str, Any]:
    proposal = found.proposal
    value = None if found.score is None else stored.definition.objective.value(found.score)
    return {
        "proposal": proposal.id,
        "name": names.of(proposal.id),
        "proposer": proposal.proposer,
        "cycle": proposal.cycle,
        "value": value,
        "config": found.config,
        "metrics": found.outcome.metrics,
    }
