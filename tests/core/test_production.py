"""Outcomes and plans as records, and the trajectory that grew with them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.production import ExtractedPlan, ProductionOutcome
from core.records import TestResults, Trajectory

ANYTHING = st.recursive(
    st.one_of(st.none(), st.floats(), st.text(), st.binary()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(result=ANYTHING, path=st.lists(st.text(), max_size=5), success=st.booleans())
def test_an_outcome_comes_back_as_it_was_with_its_id(result: Any, path: list[str], success: bool) -> None:
    outcome = ProductionOutcome(agent="builder", task="t", success=success, result=result, execution_path=tuple(path))
    kept = outcome.without_secrets()
    back = ProductionOutcome.model_validate_json(kept.model_dump_json())
    assert back == kept
    assert back.id == kept.id == kept.without_secrets().id


def test_executions_are_told_apart_and_the_same_one_is_not() -> None:
    first = ProductionOutcome(agent="builder", task="t", success=True, started_at=1.0)
    assert first.id == ProductionOutcome(agent="builder", task="t", success=True, started_at=1.0).id
    assert first.id != first.model_copy(update={"started_at": 2.0}).id
    assert first.id != ProductionOutcome(agent="builder", task="t", success=True, started_at=2.0).id
    assert first.namespace == ("outcomes", "builder")


@pytest.mark.parametrize(
    "wrong",
    [{"agent": ""}, {"duration_s": -1}, {"duration_s": float("nan")}, {"task": "x" * 20_001}, {"colour": "red"}],
)
def test_a_malformed_one_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProductionOutcome.model_validate({"agent": "a", "task": "t", "success": True, **wrong})


def test_a_plan_is_known_by_its_outcome() -> None:
    plan = ExtractedPlan(agent="qa", task_type="tests", strategy="s", confidence=0.8, source_outcome="o-1")
    assert (plan.id, plan.namespace) == ("o-1", ("training", "qa"))


def test_trajectories_of_before_are_read_still() -> None:
    old = (
        '{"version":1,"id":"t-1","campaign_id":"c-1","cycle":2,"proposal_id":"p-1","parents":[],"operator":"bayes",'
        '"strategy":"exploit","steps":["r"],"config":{"x":1},"success_score":0.5,"failure_reasons":[],"metrics":{},'
        '"metadata":{},"summary":"s"}'
    )
    told = Trajectory.model_validate_json(old)
    assert (told.code_changes, told.test_results) == ("", None)
    results = TestResults(success=True, execution_time=0.5, steps_completed=3)
    made = Trajectory(id="t-2", operator="production", strategy="s", summary="s", test_results=results)
    assert Trajectory.model_validate_json(made.model_dump_json()) == made
