"""Impact scores, priorities, order and the queue."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.improvement import ImprovementOpportunity
from search.impact import ImprovementQueue, impact_score, in_order, priority

LEVELS = ("critical", "high", "medium", "low")


def opportunity(name: str = "f", **fields: object) -> ImprovementOpportunity:
    given = {
        "severity": "medium", "risk": "low", "confidence": 0.9, "performance_gain_percent": 30.0,
        "affected_users_per_hour": 1000.0, "frequency_per_day": 24.0, "requirement": "faster",
    } | fields  # fmt: skip
    return ImprovementOpportunity.make(kind="slow_function", component="web", function=name, **given)


opportunities = st.lists(
    st.builds(
        opportunity,
        name=st.text("abcdef", min_size=1, max_size=3),
        severity=st.sampled_from(LEVELS),
        risk=st.sampled_from(LEVELS[1:]),
        confidence=st.floats(0, 1),
        performance_gain_percent=st.floats(0, 100),
        affected_users_per_hour=st.floats(0, 1e5),
        frequency_per_day=st.floats(0, 24),
        system_wide=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)


def test_the_example_of_the_formula() -> None:
    assert impact_score(opportunity()) == 7200


@pytest.mark.parametrize(
    ("fields", "score"),
    [
        ({"severity": "critical"}, 14400),
        ({"severity": "high"}, 10800),
        ({"severity": "low"}, 3600),
        ({"confidence": 0.7}, 7200),
        ({"confidence": 0.699}, 3600),
        ({"risk": "high"}, 3600),
        ({"risk": "medium"}, 5760),
        ({"severity": "critical", "confidence": 0.5, "risk": "high"}, 3600),
    ],
)
def test_factors(fields: dict[str, object], score: float) -> None:
    assert impact_score(opportunity(**fields)) == pytest.approx(score)


@pytest.mark.parametrize(
    ("score", "name"),
    [
        (5000.1, "critical"),
        (5000, "high"),
        (1000.1, "high"),
        (1000, "medium"),
        (100.1, "medium"),
        (100, "low"),
        (0, "low"),
    ],
)
def test_priorities(score: float, name: str) -> None:
    assert priority(score) == name


@given(opportunities)
def test_order(found: list[ImprovementOpportunity]) -> None:
    ordered = in_order(found)
    assert {one.id for one in ordered} == {one.id for one in found}
    risks = ("low", "medium", "high")
    for first, second in itertools.pairwise(ordered):
        if first.severity == "critical" or second.severity == "critical":
            assert first.severity == "critical"
        if (first.severity == "critical") == (second.severity == "critical"):
            assert first.impact >= second.impact
            if first.impact == second.impact:
                assert risks.index(first.risk) <= risks.index(second.risk)
                if first.risk == second.risk:
                    assert first.confidence >= second.confidence
    assert in_order(reversed(found)) == ordered


@given(opportunities, st.integers(1, 4), st.data())
def test_the_queue_never_runs_more_than_its_limit_and_loses_nothing(
    found: list[ImprovementOpportunity], limit: int, data: st.DataObject
) -> None:
    queue, done = ImprovementQueue(limit), set()
    for one in found:
        queue = queue.found([one])
        started, queue = queue.start()
        assert all(not one.system_wide for one in started)
        assert len(queue.running) <= limit
        if queue.running and data.draw(st.booleans()):
            finished = data.draw(st.sampled_from(queue.running))
            queue = queue.finish(finished)
            done.add(finished)
        everywhere = [*queue.running, *(one.id for one in queue.waiting), *done]
        assert len(everywhere) == len(set(everywhere))
    assert {*queue.running, *(one.id for one in queue.waiting), *done} == {one.id for one in found}


def test_a_system_wide_one_waits_for_a_yes_and_holds_up_nobody() -> None:
    wide, small = opportunity("wide", system_wide=True, severity="critical"), opportunity("small", severity="low")
    started, queue = ImprovementQueue(3).found([wide, small]).start()
    assert [one.id for one in started] == [small.id]
    started, queue = queue.approve(wide.id).start()
    assert [one.id for one in started] == [wide.id]
    with pytest.raises(ValueError, match="not being worked on"):
        queue.finish("o-nobody")


def test_an_opportunity_found_again_is_the_same_one() -> None:
    first, again = opportunity(confidence=0.8), opportunity(confidence=0.95)
    assert first.id == again.id
    _, queue = ImprovementQueue().found([first]).start()
    assert not queue.found([again]).waiting
