"""Plans by rules and by a model."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from production_records import PATH, outcome

from agents.production.model_plans import extract_plan_with_model
from agents.production.plans import CEILING, FLOOR, extract_plan, standing
from agents.testing import ScriptedModel
from core.errors import ModelSilentError
from core.production import ExtractedPlan, ProductionOutcome


def plan_of(one: ProductionOutcome, record: tuple[int, int] = (0, 0)) -> ExtractedPlan:
    plan = extract_plan(one, record)
    assert plan is not None
    return plan


def test_a_success_becomes_a_plan_and_a_failure_none() -> None:
    one = outcome()
    plan = plan_of(one)
    assert plan.steps == PATH
    assert plan.tools_sequence == ("libcst", "pytest")
    assert (plan.agent, plan.task_type, plan.source_outcome, plan.source) == (
        "builder", "code_generation", one.id, "rules",
    )  # fmt: skip
    assert "read samples" in plan.strategy
    assert "libcst" in plan.strategy
    assert extract_plan(outcome(success=False)) is None


def test_an_ordinary_success_stands_at_about_four_fifths() -> None:
    assert plan_of(outcome()).confidence == pytest.approx(0.8, abs=0.03)


def test_every_evidence_moves_the_confidence_its_way() -> None:
    ordinary = plan_of(outcome()).confidence
    less = [
        outcome(execution_path=("write it",)),
        outcome(execution_path=(*PATH, "retry: it hung", "failed to connect")),
        outcome(tools_used=()),
        outcome(tools_used=("docker", "make")),
        outcome(result={"code": "def parse("}),
        outcome(result=None),
    ]
    for one in less:
        assert plan_of(one).confidence < ordinary, one
    assert plan_of(outcome(), (0, 6)).confidence < ordinary < plan_of(outcome(), (6, 6)).confidence
    assert plan_of(outcome(metadata={"test_results": {"passed": 9, "failed": 0}})).confidence > ordinary
    assert plan_of(outcome(metadata={"passed": 9, "failed": 9})).confidence < plan_of(
        outcome(metadata={"passed": 9, "failed": 0})
    ).confidence  # fmt: skip
    assert plan_of(outcome(metadata={"tests_passed": True})).confidence > ordinary


def test_detours_and_repeats_are_left_out() -> None:
    path = ("read", "write", "Failed: no such file", "write", "write", "retrying", "test", "✗ flaky", "test", "  ")
    assert plan_of(outcome(execution_path=path)).steps == ("read", "write", "test")
    assert plan_of(outcome(execution_path=())).steps == ("write parser 0",)
    assert plan_of(outcome(execution_path=("write a failed-login page",))).steps == ("write a failed-login page",)


@given(
    path=st.lists(st.text(max_size=40), max_size=8),
    tools=st.lists(st.text(max_size=9), max_size=4),
    result=st.one_of(
        st.none(), st.text(), st.dictionaries(st.sampled_from(["code", "passed", "failed"]), st.integers())
    ),
    record=st.integers(0, 50).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
)
def test_any_success_has_a_plan_within_bounds(
    path: list[str], tools: list[str], result: object, record: tuple[int, int]
) -> None:
    one = outcome(execution_path=tuple(path), tools_used=tuple(tools), result=result)
    plan = plan_of(one, record)
    assert FLOOR <= plan.confidence <= CEILING
    assert all(0 <= value <= 1 for value in plan.evidence.values())
    assert set(plan.steps) <= {*(step.strip() for step in path), one.task}
    assert ExtractedPlan.model_validate_json(plan.model_dump_json()) == plan


@given(st.integers(0, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_later_uses_move_the_confidence_towards_what_happened(uses: tuple[int, int]) -> None:
    plan = plan_of(outcome())
    succeeded, used = uses
    moved = standing(plan, succeeded, used)
    low, high = sorted((plan.confidence, succeeded / used if used else plan.confidence))
    assert low - 1e-9 <= moved <= high + 1e-9


GOOD = {
    "strategy": "Learn the format, then let tests judge the parser.",
    "steps": [{"text": "read samples", "lines": [1]}, {"text": "write and test", "lines": [2, 3, 4]}],
    "tools": ["pytest"],
}


def refined(answer: object, one: ProductionOutcome | None = None) -> tuple[ExtractedPlan | None, ScriptedModel]:
    one = one or outcome()
    model = ScriptedModel({"historian/plan": answer}, repairs=0)
    return asyncio.run(extract_plan_with_model(one, plan_of(one), model)), model


def test_a_model_makes_it_finer_and_surer() -> None:
    plan, model = refined(GOOD)
    assert plan is not None
    assert plan.steps == ("read samples", "write and test")
    assert (plan.strategy, plan.tools_sequence, plan.source) == (GOOD["strategy"], ("pytest",), "model")
    assert plan.confidence > plan_of(outcome()).confidence
    assert plan.evidence["covered"] == 1.0
    assert plan.source_outcome == outcome().id
    (asked,) = model.asked
    assert "1. read samples of the format" in asked.user


def test_passing_over_the_path_gains_little() -> None:
    less, _ = refined({**GOOD, "steps": GOOD["steps"][:1]})  # type: ignore[index]
    more, _ = refined(GOOD)
    assert less is not None
    assert more is not None
    assert plan_of(outcome()).confidence < less.confidence < more.confidence


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"tools": ["docker"]}, "no tool 'docker'"),
        ({"steps": [{"text": "deploy", "lines": [9]}]}, "no line 9"),
        ({"strategy": "See notes/plan.md."}, "no file 'notes/plan.md'"),
        ({"strategy": "It got 97.5 of the points."}, "number 97.5"),
    ],
)
def test_what_does_not_stand_in_the_record_is_sent_back(change: dict[str, object], fault: str) -> None:
    plan, model = refined({**GOOD, **change})
    assert plan is None
    assert any(fault in told for told in model.faults)


def test_a_silent_model_leaves_the_rules() -> None:
    assert refined(ModelSilentError("gone"))[0] is None
    assert refined(GOOD, outcome(execution_path=()))[0] is None
