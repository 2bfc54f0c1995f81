"""The director's stated thresholds: what it answers, why, and that both can be set."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from agents.directors.thresholds import thresholds
from agents.roles import Case
from agents.testing.cases import BASELINE, example_case, example_kit
from core.records import Baseline, Direction, Experiment, Mode, Outcome, Proposal


def case(scores: Sequence[float], modes: Sequence[Mode] = (), noise: float = 0.0, **more: Any) -> Case:
    """One trial a cycle with these scores, after a baseline of 0.5."""
    history = []
    for cycle, score in enumerate(scores, 1):
        proposal = Proposal.make(
            campaign_id="example-1", cycle=cycle, proposer="p", config={**BASELINE, "learning_rate": 0.1 / cycle},
            rationale="-",
        )  # fmt: skip
        outcome = Outcome(job_id=f"j{cycle}", proposal_id=proposal.id, status="ok", config=proposal.config, seed=0)
        history.append(Experiment(proposal=proposal, outcome=outcome, score=score))
    told = [*modes, *["explore"] * (len(scores) - len(modes))]
    directions = tuple(
        Direction(cycle=i, mode=mode, jobs=3, reason="-")  # type: ignore[arg-type]
        for i, mode in enumerate(told, 1)
    )
    baseline = Baseline(config=BASELINE, seeds=(0, 1), scores=(0.5 - noise / 2**0.5, 0.5 + noise / 2**0.5), metrics={})
    return example_case(
        0, cycle=len(scores) + 1, history=tuple(history), directions=directions, baseline=baseline, **more
    )


def answer(case: Case, **parameters: Any) -> Direction:
    return asyncio.run(thresholds(**parameters)(case, example_kit()))


@pytest.mark.parametrize(
    ("scores", "mode"),
    [
        ([], "explore"),
        ([0.5, 0.56], "exploit"),  # gained 0.06 > 0.05
        ([0.5, 0.54], "explore"),  # 0.04 is not strong progress
        ([0.6, 0.6, 0.6, 0.6, 0.6, 0.6], "recover"),  # nothing in five cycles
        ([0.6, 0.6, 0.6, 0.6, 0.6, 0.62], "explore"),  # 0.02 in five cycles is no stagnation
    ],
)
def test_the_stated_thresholds(scores: list[float], mode: str) -> None:
    direction = answer(case(scores))
    assert direction.mode == mode
    assert direction.reason


def test_both_thresholds_can_be_set() -> None:
    assert answer(case([0.5, 0.54]), strong_gain=0.03).mode == "exploit"
    assert answer(case([0.6, 0.6, 0.6, 0.6, 0.6, 0.62]), stagnation=0.05).mode == "recover"
    assert answer(case([0.6, 0.6, 0.6]), stagnation_window=2, gain_window=1).mode == "recover"


def test_the_reason_has_the_figures() -> None:
    assert "0.06" in answer(case([0.5, 0.56])).reason
    assert "less than 0.01" in answer(case([0.6] * 6)).reason


def test_a_gain_inside_the_noise_is_not_strong_progress() -> None:
    direction = answer(case([0.5, 0.56], noise=0.05))
    assert direction.mode == "explore"
    assert "noise" in direction.reason


def test_recovery_is_followed_by_work_on_what_it_found() -> None:
    scores = [0.6] * 6
    assert answer(case(scores, modes=["explore"] * 5 + ["recover"])).mode == "explore"
