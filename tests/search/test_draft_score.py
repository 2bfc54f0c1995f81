"""Quality and risk of a draft: in 0 … 1, 0 and 1 for one that failed, and monotone in everything that is measured."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.drafts import CheckFault, CheckResult, DraftSource, ImprovementDraft, Validation
from core.improvement import ImprovementSettings
from search.draft_score import draft_quality, draft_risk

BEST: dict[str, Any] = {
    "statements": 10, "run": 10, "coverage": 100.0, "tests": 20, "growth": 0, "known": 0, "changed": 4, "lines": 200,
}  # fmt: skip


def validation(failed: bool = False, **told: Any) -> Validation:
    told = {**BEST, **told}
    known = (CheckFault(check="types", text="old"),) * told["known"]
    figures = {
        "changed_statements": told["statements"], "changed_statements_run": told["run"], "tests_passed": told["tests"],
        "coverage_percent": told["coverage"], "complexity_growth": told["growth"], "changed_lines": told["changed"],
        "lines_before_and_after": told["lines"],
    }  # fmt: skip
    status = "failed" if failed else "passed"
    return Validation(
        draft_id="d",
        checks=(
            CheckResult(name="types", status="passed", known=known),
            CheckResult(name="tests", status=status, figures=figures),
        ),
    )


def draft(source: DraftSource = "rules", assumes: int = 0) -> ImprovementDraft:
    return ImprovementDraft.make("o", {"a.py": ""}, source, "x", assumes=tuple(map(str, range(assumes))))


measured = st.fixed_dictionaries(
    {
        "statements": st.just(9), "run": st.integers(0, 9), "coverage": st.floats(0, 100), "tests": st.integers(0, 99),
        "growth": st.integers(0, 30), "known": st.integers(0, 9), "changed": st.integers(0, 400), "lines": st.just(400),
    }
)  # fmt: skip
UP = ("run", "coverage", "tests")
DOWN = ("growth", "known", "changed")


@given(measured, measured, st.sampled_from(["rules", "model"]), st.integers(0, 7))
def test_better_figures_never_lower_quality_nor_raise_risk(
    one: dict[str, Any], other: dict[str, Any], source: DraftSource, assumes: int
) -> None:
    better = {name: (max if name in UP else min)(one[name], other[name]) for name in one}
    assert 0 <= draft_quality(validation(**one)) <= draft_quality(validation(**better)) <= 1
    made = draft(source, assumes)
    assert 0 <= draft_risk(made, validation(**better)) <= draft_risk(made, validation(**one)) <= 1
    assert set(UP) | set(DOWN) | {"statements", "lines"} == set(one)


@given(measured, st.integers(0, 6))
def test_less_sure_origins_are_riskier(told: dict[str, Any], assumes: int) -> None:
    checked = validation(**told)
    assert draft_risk(draft("rules", assumes), checked) <= draft_risk(draft("rules", assumes + 1), checked)
    assert draft_risk(draft("rules"), checked) < draft_risk(draft("model"), checked)
    assert (
        draft_risk(draft(), checked, "low")
        < draft_risk(draft(), checked, "medium")
        < draft_risk(draft(), checked, "high")
    )


@given(measured)
def test_a_failed_draft_is_worth_nothing(told: dict[str, Any]) -> None:
    checked = validation(failed=True, **told)
    assert (draft_quality(checked), draft_risk(draft(), checked)) == (0.0, 1.0)
    assert draft_quality(Validation(draft_id="d", checks=())) == 0.0


@pytest.mark.parametrize(
    ("source", "assumes", "opportunity", "told", "basic", "conservative"),
    [
        ("rules", 0, "low", {}, True, True),
        ("rules", 3, "medium", {"changed": 19, "lines": 67, "coverage": 92.0, "growth": 5}, True, False),
        ("model", 0, "medium", {"coverage": 90.0, "changed": 20}, True, False),
        ("model", 0, "medium", {"run": 6}, False, False),
        ("rules", 0, "high", {}, False, False),
        ("rules", 0, "low", {"coverage": 81.0, "run": 7, "tests": 3}, False, False),
    ],
)
def test_what_the_presets_take(
    source: DraftSource, assumes: int, opportunity: Any, told: dict[str, Any], basic: bool, conservative: bool
) -> None:
    checked = validation(**told)
    quality, risk = draft_quality(checked), draft_risk(draft(source, assumes), checked, opportunity)
    for preset, taken in (("basic", basic), ("conservative", conservative)):
        limits = ImprovementSettings.load(preset, environment={})
        assert (quality >= limits.quality_threshold and risk <= limits.risk_tolerance) == taken, (quality, risk)
