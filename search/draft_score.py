"""How good and how risky a checked draft is, from what its checks measured: two numbers in 0 … 1.

Notation: a the share of the changed statements that the tests ran (1 without any), c the service's coverage, n the
tests that passed, g the largest growth of a function's complexity, k the known faults of types and security that stay,
s the share of the files' lines that change, i the number of assumptions (5 and more are one), o and m below.

    quality = 0 if a check failed, else 0.40 a + 0.25 c + 0.15 n/(n+1) + 0.10 / (1 + g/5) + 0.10 / (1 + k)
    risk    = 1 if a check failed, else 1 − (1 − m)(1 − o)(1 − 0.3 (1 − a))(1 − 0.1 s)(1 − 0.01 i)

m is 0 for a draft by rules, 0.05 by a model; o 0 for an opportunity of low risk, 0.02 medium, 0.1 high.
Quality never falls, and risk never rises, when a, c or n grow, or g, k, s or i fall.
"""

from __future__ import annotations

from typing import Literal

from core.drafts import ImprovementDraft, Validation

__all__ = ["draft_quality", "draft_risk"]

SOURCE_RISK = {"rules": 0.0, "model": 0.05}
OPPORTUNITY_RISK = {"low": 0.0, "medium": 0.02, "high": 0.1}


def draft_quality(validation: Validation) -> float:
    """How well the change is made and proven; compare it with IMPROVEMENT_QUALITY_THRESHOLD."""
    if not validation.ok:
        return 0.0
    tests = validation.figure("tests_passed")
    known = sum(len(one.known) for one in validation.checks if one.name in ("types", "security"))
    growth = max(0.0, validation.figure("complexity_growth"))
    return (
        0.40 * _run_share(validation)
        + 0.25 * validation.figure("coverage_percent") / 100
        + 0.15 * tests / (tests + 1)
        + 0.10 / (1 + growth / 5)
        + 0.10 / (1 + known)
    )


def draft_risk(
    draft: ImprovementDraft, validation: Validation, opportunity: Literal["low", "medium", "high"] = "low"
) -> float:
    """How likely it is to do harm, in parts joined like chances; compare with IMPROVEMENT_RISK_TOLERANCE."""
    if not validation.ok:
        return 1.0
    size = min(1.0, validation.figure("changed_lines") / max(1.0, validation.figure("lines_before_and_after")))
    parts = (
        SOURCE_RISK[draft.source],
        OPPORTUNITY_RISK[opportunity],
        0.3 * (1 - _run_share(validation)),
        0.1 * size,
        0.01 * min(len(draft.assumes), 5),
    )
    safe = 1.0
    for part in parts:
        safe *= 1 - part
    return 1 - safe


def _run_share(validation: Validation) -> float:
    """Without a changed statement there is none that was not run."""
    statements = validation.figure("changed_statements")
    return validation.figure("changed_statements_run") / statements if statements else 1.0
