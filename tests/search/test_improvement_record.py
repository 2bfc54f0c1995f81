"""What measured improvements change in the next ones of their kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.improvement import ImpactAssessment, ImprovementOpportunity
from search.impact import impact_score
from search.improvement_record import learned, learned_threshold, records_of


def ended(status: str, measured: float | None = None, foreseen: float | None = None) -> tuple[str, ImpactAssessment]:
    told = {"latency_reduction_percent": measured, "foreseen_gain_percent": foreseen}
    return "cache", ImpactAssessment.model_validate({"opportunity_id": "o-1", "status": status, **told})


def found(kind: str = "cache") -> ImprovementOpportunity:
    return ImprovementOpportunity.model_validate(
        {
            "id": "o-2",
            "kind": kind,
            "component": "shop",
            "severity": "medium",
            "confidence": 0.8,
            "performance_gain_percent": 30,
            "affected_users_per_hour": 1000,
            "frequency_per_day": 24,
            "requirement": "cache it",
        }
    )


def test_without_a_record_of_its_kind_nothing_changes() -> None:
    assert learned(found(), {}) == found()
    assert learned(found("slow_function"), records_of([ended("rolled_back")])) == found("slow_function")
    assert learned_threshold(0.85, None) == 0.85


def test_what_brought_half_of_what_was_foreseen_is_foreseen_lower() -> None:
    records = records_of([ended("completed", 15, 30), ended("completed", 20, 40)])
    one = learned(found(), records)
    assert one.performance_gain_percent == pytest.approx(30 * (2 + 0.5 + 0.5) / 4)
    assert one.confidence == pytest.approx(0.8)
    assert learned_threshold(0.85, records["cache"]) == 0.85


def test_what_is_taken_back_again_and_again_counts_half_and_must_be_better() -> None:
    records = records_of([ended("rolled_back", -50, 30)] * 2)
    one = learned(found(), records)
    assert one.confidence == pytest.approx(0.8 * 2 / 4)
    assert impact_score(one) == pytest.approx(impact_score(found()) / 2)
    assert learned_threshold(0.85, records["cache"]) == pytest.approx(0.85 + 0.15 * 2 / 8)


def test_what_was_never_live_teaches_nothing() -> None:
    assert records_of([ended("refused"), ended("needs_model"), ended("failed")]) == {}


@given(
    st.lists(
        st.builds(
            ended,
            st.sampled_from(["completed", "rolled_back", "refused"]),
            st.none() | st.floats(-1e6, 100),
            st.none() | st.floats(0, 1e6),
        ),
        max_size=12,
    ),
    st.floats(0, 1),
)
def test_it_is_bounded_and_only_ever_stricter(told: list[tuple[str, ImpactAssessment]], threshold: float) -> None:
    records = records_of(told)
    one = learned(found(), records)
    assert 30 / 4 <= one.performance_gain_percent <= 60
    assert 0 <= one.confidence <= 0.8
    assert threshold <= learned_threshold(threshold, records.get("cache")) <= 1
