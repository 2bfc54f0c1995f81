"""What a claim is compared with: finished trials, the baseline, predictions on the table, memories that were shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from agents.roles import Case
from core.records import Config, Experiment, Memory

__all__ = ["Fact", "facts_of", "metrics_of", "right"]

CLOSE = 0.005
"""Relative distance within which a whole number may stand for a value: nobody rounds 0.92 to 1 in good faith."""


@dataclass(frozen=True)
class Fact:
    """Values of metrics, in the metric's own direction, under the names by which they may be quoted."""

    names: tuple[str, ...]
    config: Config
    values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def facts_of(case: Case, experiments: Sequence[Experiment] = (), memories: Sequence[Memory] = ()) -> list[Fact]:
    """All that may be quoted in this case; `experiments` are those of this cycle, which the case does not have yet."""
    objective = case.campaign.objective
    facts = [
        Fact((e.proposal.id,), e.config, {name: (value,) for name, value in e.outcome.metrics.items()})
        for e in (*case.history, *experiments)
    ]
    if case.baseline is not None:
        seen: dict[str, tuple[float, ...]] = {name: (value,) for name, value in case.baseline.metrics.items()}
        means = (case.baseline.mean, *case.baseline.scores)
        seen[objective.metric] = (*seen.get(objective.metric, ()), *map(objective.value, means))
        facts.append(Fact(("baseline",), case.baseline.config, seen))
    facts += [
        Fact((p.id,), p.config, {objective.metric: (objective.value(p.expected.mean),)})
        for p in case.proposals
        if p.expected is not None
    ]
    asked = f"{objective.goal} {objective.metric}"
    facts += [
        Fact((m.id, m.proposal_id or m.id), m.config, {objective.metric: (objective.value(m.score),)})
        for m in memories
        if m.score is not None and m.objective == asked
    ]
    return facts


def metrics_of(case: Case) -> list[str]:
    """The metrics that this campaign knows, the objective's first."""
    told = [case.campaign.objective.metric, *case.campaign.metrics, *(case.baseline.metrics if case.baseline else ())]
    told += [name for e in case.history[-20:] for name in e.outcome.metrics]
    return list(dict.fromkeys(told))


def right(said: str, value: float) -> bool:
    """Whether `said` is `value`, rounded or cut to the digits that it has."""
    try:
        number = Decimal(said)
    except InvalidOperation:
        return False
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        return False
    distance = abs(float(number) - value)
    if "." not in said and "e" not in said.lower():
        return distance <= CLOSE * abs(value)
    return distance <= 10.0**exponent * (1 + 1e-9)
