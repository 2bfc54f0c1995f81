"""What measured improvements teach about the next ones of their kind.

Of a kind n have ended, c of them stayed live, and m of these have a measured gain g beside the foreseen e:

    gain        e · clip((P + Σ max(0, g)/e) / (P + m), ¼, 2)
    confidence  κ · (c + P) / (n + P)              below 0.7 it halves the impact score (search.impact)
    threshold   t + (1 − t) (n − c) / (2 (n + P))   of the quality of a draft: stricter, never milder than it was set

P = 2 improvements count for the estimate as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.improvement import ImpactAssessment, ImprovementOpportunity

__all__ = ["KindRecord", "learned", "learned_threshold", "records_of"]

PRIOR = 2
LEAST, MOST = 0.25, 2.0
LEAST_FORESEEN_PERCENT = 1.0
"""Below it a ratio of gains says nothing."""


@dataclass(frozen=True)
class KindRecord:
    """`ratios` are those of measured to foreseen gain, of those that stayed."""

    ended: int = 0
    stayed: int = 0
    ratios: tuple[float, ...] = ()

    @property
    def gain_factor(self) -> float:
        return min(MOST, max(LEAST, (PRIOR + sum(self.ratios)) / (PRIOR + len(self.ratios))))

    @property
    def share(self) -> float:
        """Of those that stay, 1 before anything is known."""
        return (self.stayed + PRIOR) / (self.ended + PRIOR)


def records_of(ended: Iterable[tuple[str, ImpactAssessment]]) -> dict[str, KindRecord]:
    """By kind, from (kind, assessment) of improvements that were live; what never was teaches nothing."""
    records: dict[str, KindRecord] = {}
    for kind, told in ended:
        if told.status not in ("completed", "rolled_back"):
            continue
        before = records.get(kind, KindRecord())
        stayed = told.status == "completed"
        records[kind] = KindRecord(
            before.ended + 1, before.stayed + stayed, (*before.ratios, *(_ratio(told) if stayed else ()))
        )
    return records


def learned(one: ImprovementOpportunity, records: Mapping[str, KindRecord]) -> ImprovementOpportunity:
    """The opportunity with the gain and the confidence that those of its kind before it leave; not scored anew."""
    record = records.get(one.kind)
    if record is None:
        return one
    return one.model_copy(
        update={
            "performance_gain_percent": one.performance_gain_percent * record.gain_factor,
            "confidence": one.confidence * record.share,
        }
    )


def learned_threshold(threshold: float, record: KindRecord | None) -> float:
    """The quality that a draft needs, at least `threshold`."""
    if record is None:
        return threshold
    return threshold + (1 - threshold) * (record.ended - record.stayed) / (2 * (record.ended + PRIOR))


def _ratio(told: ImpactAssessment) -> tuple[float, ...]:
    measured, foreseen = told.latency_reduction_percent, told.foreseen_gain_percent
    if measured is None or foreseen is None or foreseen < LEAST_FORESEEN_PERCENT:
        return ()
    return (max(0.0, measured) / foreseen,)
