from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from search.constraints import Condition, Region
from search.cube import Cube
from search.recombine import recombine
from search.space import Choice, Config, Float, Int, Space
from search.suggest import recommend, start_size, suggest
from search.trials import Trial, best

BOWL = Space.model_validate({f"x{i}": Float(0, 1) for i in range(4)})
TREE = Space.model_validate(
    {
        "kind": Choice("a", "b"),
        "x": Float(0, 1),
        "lr": Float(1e-4, 1, log=True, when={"kind": ["a"]}),
        "n": Int(1, 9, when={"kind": ["b"]}),
    }
)
WIDE = Space.model_validate({f"x{i}": Float(0, 1) for i in range(6)})
CENTRE = (0.21, 0.83, 0.64, 0.35, 0.5, 0.9)
Objective = Callable[[Config], float | None]


def bowl(config: Config) -> float:
    return -sum((v - c) ** 2 for v, c in zip(config.values(), CENTRE, strict=False))


def tree(config: Config) -> float:
    base = -((config["x"] - 0.7) ** 2)
    return base - 0.2 * abs(np.log10(config["lr"]) + 2) if config["kind"] == "a" else base - 0.5 - 0.01 * config["n"]


_runs: dict[tuple[int, Objective, int, int], list[Trial]] = {}


def run(space: Space, objective: Objective, n: int, seed: int, batch: int = 1) -> list[Trial]:
    """The first `n` trials of a run; a longer one goes on from a shorter one that was asked for before."""
    trials = _runs.setdefault((id(space), objective, seed, batch), []) if batch == 1 else []
    while len(trials) < n:
        for s in suggest(space, trials, min(batch, n - len(trials)), seed=seed):
            trials.append(Trial(str(len(trials)), s.config, objective(s.config), len(trials)))
    return trials[:n]


def top(trials: list[Trial]) -> float:
    leader = best(trials)
    assert leader is not None
    assert leader.value is not None
    return leader.value


class TestContract:
    @pytest.mark.parametrize(("space", "objective"), [(BOWL, bowl), (TREE, tree), (WIDE, bowl)])
    def test_valid_new_and_a_function_of_the_arguments(self, space: Space, objective: Objective) -> None:
        trials = run(space, objective, 14, seed=3)
        keys = {space.key(t.config) for t in trials}
        assert len(keys) == 14
        a, b = suggest(space, trials, 3, seed=3), suggest(space, trials, 3, seed=3)
        assert a == b
        assert len({space.key(s.config) for s in a} | keys) == 17
        for s in a:
            assert space.validate_config(s.config) == s.config
            assert s.sd >= 0
            assert 0 <= s.failure_probability <= 1
            assert s.member
            assert s.reason

    def test_another_seed_starts_elsewhere(self) -> None:
        assert suggest(BOWL, [], 2, seed=0)[0].config != suggest(BOWL, [], 2, seed=1)[0].config

    def test_a_given_generator_decides(self) -> None:
        trials = run(BOWL, bowl, 8, seed=0)
        one, two = (suggest(BOWL, trials, 1, rng=np.random.default_rng(7)) for _ in range(2))
        assert one == two

    def test_the_start_is_lean_and_then_a_model_leads(self) -> None:
        members = [suggest(BOWL, run(BOWL, bowl, n, 0), 1, seed=0)[0].member for n in (0, start_size(BOWL))]
        assert members == ["start", "gp"]
        assert start_size(BOWL) == 5

    def test_declared_defaults_come_first(self) -> None:
        space = Space.model_validate({"x": Float(0, 1, default=0.9), "k": Choice("a", "b", default="b")})
        assert suggest(space, [])[0].config == {"x": 0.9, "k": "b"}

    def test_jobs_in_flight_are_not_repeated(self) -> None:
        trials = run(TREE, tree, 12, seed=1)
        first = suggest(TREE, trials, 1, seed=1)[0].config
        again = suggest(TREE, trials, 1, seed=1, pending=[first])[0].config
        assert TREE.distance(first, again) > 0

    def test_trials_from_elsewhere_need_no_start(self) -> None:
        known = [Trial(str(i), c, bowl(c)) for i, c in enumerate(BOWL.sobol(20, 9))]
        assert suggest(BOWL, known, 1)[0].member == "gp"

    def test_small_space_is_exhausted_then_repeats(self) -> None:
        space = Space.model_validate({"k": Choice("a", "b", "c"), "n": Int(1, 2)})
        trials = run(space, lambda c: float(c["n"]), 6, seed=0)
        assert len({space.key(t.config) for t in trials}) == 6
        assert space.validate_config(suggest(space, trials, 2)[0].config)

    def test_no_suggestion_lies_in_a_forbidden_region(self) -> None:
        wall = Region(conditions={"x0": Condition(high=0.5)})
        trials = [t for t in run(BOWL, bowl, 12, seed=2) if not wall.contains(t.config)]
        for s in suggest(BOWL, trials, 8, seed=2, regions=[wall]):
            assert not wall.contains(s.config)

    @pytest.mark.parametrize("member", ["gp", "local", "tpe"])
    @pytest.mark.parametrize("acquisition", ["expected_improvement", "upper_confidence_bound", "thompson"])
    def test_each_member_and_acquisition_proposes_something_new(self, member: Any, acquisition: Any) -> None:
        trials = run(TREE, tree, 10, seed=1)
        found = suggest(TREE, trials, 3, seed=1, member=member, acquisition=acquisition)
        assert {s.member for s in found} == {member}
        assert len({TREE.key(s.config) for s in found} | {TREE.key(t.config) for t in trials}) == 13

    def test_a_larger_margin_explores_more(self) -> None:
        gaps = {0.0: [], 2.0: []}  # type: dict[float, list[float]]
        for seed in range(4):
            trials = run(BOWL, bowl, 20, seed)
            leader = best(trials)
            assert leader is not None
            for margin, found in gaps.items():
                config = suggest(BOWL, trials, 1, seed=seed, margin=margin)[0].config
                found.append(BOWL.distance(config, leader.config))
        assert np.mean(gaps[2.0]) > 2 * np.mean(gaps[0.0])

    def test_only_crashes_so_far(self) -> None:
        trials = [Trial(str(i), c, None) for i, c in enumerate(TREE.sobol(8, 0))]
        configs = [s.config for s in suggest(TREE, trials, 3)]
        assert len({TREE.key(c) for c in configs} | {TREE.key(t.config) for t in trials}) == 11


class TestQuality:
    """Against random search with as many trials; the margins are far inside what is measured in the benchmarks."""

    @pytest.mark.parametrize(("space", "objective"), [(BOWL, bowl), (TREE, tree), (WIDE, bowl)])
    def test_finds_better_than_random(self, space: Space, objective: Objective) -> None:
        ours, random = [], []
        for seed in range(2):
            ours.append(top(run(space, objective, 20, seed)))
            rng = np.random.default_rng(seed)
            draws = [space.sample(rng) for _ in range(20)]
            random.append(max(float(objective(c) or 0.0) for c in draws))
        assert float(np.mean(ours)) > float(np.mean(random)) / 4  # scores are negative regrets

    def test_batches_of_three_still_find_it(self) -> None:
        assert float(np.mean([top(run(BOWL, bowl, 24, seed, batch=3)) for seed in range(2)])) > -0.01

    def test_learns_to_avoid_crashes(self) -> None:
        def fragile(config: Config) -> float | None:
            return None if config["x0"] + config["x1"] > 1.1 else bowl(config)

        late = [t.crashed for seed in range(2) for t in run(BOWL, fragile, 26, seed)[13:]]
        assert float(np.mean(late)) < 0.25  # at random it would be 0.4


class TestRecommend:
    def test_noise_does_not_choose(self) -> None:
        rng = np.random.default_rng(0)
        regrets: dict[str, list[float]] = {"model": [], "looks": []}
        for _ in range(6):
            configs = [BOWL.sample(rng) for _ in range(40)]
            trials = [Trial(str(i), c, bowl(c) + 0.3 * float(rng.standard_normal())) for i, c in enumerate(configs)]
            by_model, by_looks = recommend(BOWL, trials), best(trials)
            assert by_model is not None
            assert by_looks is not None
            regrets["model"].append(bowl(dict(by_model.config)))
            regrets["looks"].append(bowl(dict(by_looks.config)))
        assert np.mean(regrets["model"]) > np.mean(regrets["looks"])

    def test_nothing_finished_nothing_recommended(self) -> None:
        assert recommend(BOWL, [Trial("0", BOWL.defaults(), None)]) is None


class TestRecombine:
    def test_children_are_new_valid_and_near_the_winners(self) -> None:
        trials = [Trial(str(i), c, bowl(c)) for i, c in enumerate(BOWL.sobol(32, 1))]
        children = recombine(BOWL, trials, 20, np.random.default_rng(0))
        winners = {t.id: t.config for t in sorted(trials, key=lambda t: -float(t.value or 0))[:5]}
        assert len({BOWL.key(c.config) for c in children}) == 20
        for child in children:
            assert set(child.parents) <= set(winners)
            assert BOWL.validate_config(child.config) == child.config
        mean = float(np.mean([bowl(c.config) for c in children]))
        assert mean > float(np.mean([float(t.value or 0) for t in trials]))

    def test_one_winner_and_none(self) -> None:
        rng = np.random.default_rng(0)
        one = [Trial("7", TREE.defaults(), 1.0), Trial("8", TREE.sample(rng), None)]
        assert {c.parents for c in recombine(TREE, one, 4, rng)} == {("7",)}
        assert recombine(TREE, one[1:], 4, rng) == []


def test_snapped_rows_are_where_suggestions_live() -> None:
    cube = Cube(TREE)
    rows = cube.rows([s.config for s in suggest(TREE, run(TREE, tree, 10, 0), 4)])
    assert np.allclose(cube.snap(rows), rows)
