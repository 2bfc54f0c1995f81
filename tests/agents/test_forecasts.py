from __future__ import annotations

import numpy as np

from agents.forecasts import Oracle, calibration_of
from agents.testing.cases import example_campaign, example_case, example_space, objective
from core.records import Expectation, Experiment, Outcome, Proposal
from search.trials import Trial
from search.world_model import WorldModel


def test_a_proposal_says_what_each_named_metric_will_be() -> None:
    campaign = example_campaign(metrics=["accuracy", "cost"], objective={"metric": "accuracy"})
    case = example_case(12, campaign=campaign)
    history = tuple(
        e.model_copy(
            update={"outcome": e.outcome.model_copy(update={"metrics": {**e.outcome.metrics, "cost": 7.0 + i}})}
        )
        for i, e in enumerate(case.history)
    )
    case = example_case(12, campaign=campaign, history=history)
    proposal = case.propose("me", case.space.sample(np.random.default_rng(5)), "why not")
    assert proposal.expected is not None
    assert proposal.expected.sd > 0
    assert set(proposal.expected_metrics) == {"accuracy", "cost"}
    assert 5 < proposal.expected_metrics["cost"].mean < 21
    assert proposal.expected_metrics["accuracy"].mean == proposal.expected.mean


def test_nothing_is_predicted_from_nothing() -> None:
    case = example_case(1)
    assert case.propose("me", case.space.sample(np.random.default_rng(5)), "why not").expected is None


def test_a_minimised_metric_is_shown_in_its_own_direction() -> None:
    campaign = example_campaign(objective={"metric": "loss", "goal": "minimize"})
    space, rng = example_space(), np.random.default_rng(0)
    configs = [c for c in (space.sample(rng) for _ in range(20)) if objective(c) is not None]
    trials = [Trial(str(i), c, -(objective(c) or 0)) for i, c in enumerate(configs)]
    history = [told(c, -(objective(c) or 0.0), None) for c in configs]
    score, metrics = Oracle(campaign, WorldModel.fit(space, trials), history).expect(configs[0])
    assert score is not None
    assert metrics["loss"].mean == -score.mean > 0


def told(config: dict[str, object], score: float | None, expected: Expectation | None) -> Experiment:
    proposal = Proposal.make(campaign_id="c", cycle=1, proposer="p", config=config, rationale="-", expected=expected)
    status = "failed" if score is None else "ok"
    outcome = Outcome(job_id="j", proposal_id=proposal.id, status=status, config=config, seed=0)  # type: ignore[arg-type]
    return Experiment(proposal=proposal, outcome=outcome, score=score)


def test_calibration_is_read_off_the_history() -> None:
    wide = Expectation(mean=0.5, sd=0.1, failure_probability=0.25, factor=2.0)
    history = [told({"x": i}, s, wide) for i, s in enumerate([0.5, 0.6, 0.65, 0.9, None])]
    found = calibration_of(history)
    assert found["score"]["n"] == 4
    assert found["score"]["covered"] == 0.75
    assert found["uncorrected"]["covered"] == 0.25
    assert found["failures"]["brier"] == (4 * 0.25**2 + 0.75**2) / 5
    assert calibration_of([told({"x": 1}, 0.5, None)]) == {}
