from __future__ import annotations

import numpy as np
import pytest

from core.errors import ConfigError
from search.space import Choice, Config, Float, Int, Space
from search.trials import Trial
from search.world_model import CAP, WorldModel

SPACE = Space.model_validate(
    {
        "kind": Choice("a", "b"),
        "x": Float(0, 1),
        "lr": Float(1e-4, 1, log=True, when={"kind": ["a"]}),
        "n": Int(1, 9, when={"kind": ["b"]}),
    }
)


def score(config: Config) -> float:
    base = 10.0 - 20 * (config["x"] - 0.6) ** 2
    return base - (np.log10(config["lr"]) + 2) ** 2 if config["kind"] == "a" else base - 0.3 * abs(config["n"] - 4)


def history(n: int, seed: int = 0, noise: float = 0.0, crash: object = None) -> list[Trial]:
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n):
        config = SPACE.sample(rng)
        value: float | None = score(config) + noise * float(rng.standard_normal())
        out.append(Trial(str(i), config, None if crash and crash(config) else value, i))  # type: ignore[operator]
    return out


class TestLittleData:
    def test_nothing_known_is_a_wide_answer(self) -> None:
        answer = WorldModel.fit(SPACE, [], 0).predict([SPACE.defaults()])
        assert (answer.mean[0], answer.sd[0], answer.failure_probability[0]) == (0.0, 1.0, 0.5)

    @pytest.mark.parametrize("n", [1, 2])
    def test_one_or_two_trials_are_believed_where_they_are_and_little_elsewhere(self, n: int) -> None:
        trials = history(n)
        far = {**SPACE.defaults(), "kind": "b", "n": 9, "x": 0.0}
        answer = WorldModel.fit(SPACE, trials, 0).predict([trials[0].config, far])
        assert answer.mean[0] == pytest.approx(trials[0].value, abs=0.5 * answer.sd[1])
        assert answer.sd[0] < 0.5 * answer.sd[1]

    def test_only_crashes(self) -> None:
        crashes = [Trial(str(i), t.config, None) for i, t in enumerate(history(4))]
        answer = WorldModel.fit(SPACE, crashes, 0).predict([t.config for t in crashes])
        assert np.isfinite(answer.mean).all()
        assert (answer.failure_probability > 0.5).all()

    def test_equal_values_are_no_trouble(self) -> None:
        trials = [Trial(t.id, t.config, 0.25) for t in history(6)]
        answer = WorldModel.fit(SPACE, trials, 0).predict([SPACE.defaults()])
        assert answer.mean[0] == pytest.approx(0.25, abs=0.05)


class TestPrediction:
    def test_learns_a_conditional_space_in_the_units_of_the_metric(self) -> None:
        fresh = history(40, seed=1)
        answer = WorldModel.fit(SPACE, history(50), 0).predict([t.config for t in fresh])
        truth = np.array([t.value for t in fresh])
        assert np.corrcoef(answer.mean, truth)[0, 1] > 0.97
        assert np.mean(np.abs(answer.mean - truth)) < 0.15 * float(np.std(truth))

    def test_is_calibrated_on_noisy_trials(self) -> None:
        inside = []
        for seed in range(5):
            fresh = history(40, seed=100 + seed)
            answer = WorldModel.fit(SPACE, history(30, seed=seed, noise=0.5), seed).predict([t.config for t in fresh])
            truth = np.array([t.value for t in fresh])
            inside.append(np.abs(answer.mean - truth) <= 1.64 * answer.sd)
        assert 0.75 <= float(np.mean(inside)) <= 1.0  # nominal .90 for the noise-free function

    def test_one_diverged_job_does_not_flatten_the_rest(self) -> None:
        trials = [*history(30), Trial("bad", {"kind": "b", "x": 0.0, "n": 9}, -1e12)]
        answer = WorldModel.fit(SPACE, trials, 0).predict(
            [{"kind": "b", "x": 0.6, "n": 4}, {"kind": "b", "x": 0.1, "n": 1}]
        )
        assert answer.mean[0] - answer.mean[1] > 2

    def test_a_crash_is_likelier_near_crashes(self) -> None:
        model = WorldModel.fit(SPACE, history(40, crash=lambda c: c["x"] > 0.8), 0)
        answer = model.predict([{"kind": "b", "x": 0.95, "n": 4}, {"kind": "b", "x": 0.3, "n": 4}])
        assert answer.failure_probability[0] > 0.6
        assert answer.failure_probability[1] < 0.2

    def test_is_a_function_of_its_arguments(self) -> None:
        trials = history(CAP + 40)
        a, b = (WorldModel.fit(SPACE, trials, 5).predict([SPACE.defaults()]) for _ in range(2))
        assert (a.mean[0], a.sd[0]) == (b.mean[0], b.sd[0])

    def test_data_is_capped_and_keeps_the_best(self) -> None:
        trials = history(3 * CAP)
        model = WorldModel.fit(SPACE, trials, 0)
        best = max(trials, key=lambda t: float(t.value or 0))
        assert len(model.rows) == CAP
        assert (np.abs(model.rows - SPACE.encode(best.config)).max(axis=1) < 1e-9).any()

    def test_warm_start_ends_where_a_cold_one_does(self) -> None:
        trials = history(40)
        cold = WorldModel.fit(SPACE, trials, 0)
        warm = WorldModel.fit(SPACE, trials, 0, start=WorldModel.fit(SPACE, trials[:35], 0))
        probe = [t.config for t in history(10, seed=3)]
        assert warm.predict(probe).mean == pytest.approx(cold.predict(probe).mean, abs=0.3)

    def test_a_trial_outside_the_space_is_refused_by_name(self) -> None:
        with pytest.raises(ConfigError, match="x = 7"):
            WorldModel.fit(SPACE, [Trial("0", {"kind": "b", "x": 7, "n": 1}, 1.0)], 0)
