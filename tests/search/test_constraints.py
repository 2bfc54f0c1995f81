from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from search.constraints import Condition, Region, violations
from search.region_learning import contradictions, learn_regions
from search.space import Choice, Config, Float, Int, Space
from search.trials import Trial

SPACE = Space.model_validate(
    {"lr": Float(1e-5, 10, log=True), "m": Float(0, 1), "batch": Int(1, 64, log=True), "act": Choice("a", "b", "c")}
)
HOT = Region(conditions={"lr": Condition(low=0.1)}, reason="diverges")


def trials(n: int, crashes: object, seed: int = 0) -> list[Trial]:
    rng = np.random.default_rng(seed)
    configs = [SPACE.sample(rng) for _ in range(n)]
    return [Trial(str(i), c, None if crashes(c, rng) else 1.0) for i, c in enumerate(configs)]  # type: ignore[operator]


class TestRegion:
    def test_interval_includes_its_bounds(self) -> None:
        region = Region(conditions={"m": Condition(low=0.2, high=0.4)})
        assert [region.contains({"m": m}) for m in (0.19, 0.2, 0.3, 0.4, 0.41)] == [False, True, True, True, False]

    def test_pair_needs_both_and_an_inactive_parameter_holds_nothing(self) -> None:
        region = Region(conditions={"lr": Condition(low=0.1), "act": Condition(options=("a", "b"))})
        assert region.contains({"lr": 1.0, "act": "a"})
        assert not region.contains({"lr": 1.0, "act": "c"})
        assert not region.contains({"lr": 1.0})

    def test_covers(self) -> None:
        assert HOT.covers(Region(conditions={"lr": Condition(low=0.5, high=2.0)}))
        assert HOT.covers(Region(conditions={"lr": Condition(low=0.5), "act": Condition(options=("a",))}))
        assert not HOT.covers(Region(conditions={"lr": Condition(high=0.5)}))
        assert not HOT.covers(Region(conditions={"act": Condition(options=("a",))}))
        wide = Region(conditions={"act": Condition(options=("a", "b"))})
        assert wide.covers(Region(conditions={"act": Condition(options=("b",))}))
        assert not Region(conditions={"act": Condition(options=("b",))}).covers(wide)

    def test_violations_are_the_regions_a_config_lies_in(self) -> None:
        other = Region(conditions={"m": Condition(high=0.1)})
        assert violations({"lr": 1.0, "m": 0.5}, [other, HOT]) == [HOT]
        assert violations({"lr": 1e-3, "m": 0.5}, [other, HOT]) == []

    def test_round_trip_and_text(self) -> None:
        region = Region(conditions={"lr": Condition(low=0.1), "act": Condition(options=("a",))}, evidence=("3", "7"))
        assert Region.model_validate_json(region.model_dump_json()) == region
        assert str(region) == "lr >= 0.1 and act in ['a']"

    @pytest.mark.parametrize("bad", [{}, {"low": 2, "high": 1}, {"low": 1, "options": ["a"]}])
    def test_bad_condition_is_refused(self, bad: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            Condition.model_validate(bad)


class TestLearning:
    @pytest.mark.parametrize(
        ("rule", "names"),
        [
            (lambda c, _: c["lr"] > 0.1, {"lr"}),
            (lambda c, _: c["batch"] < 4, {"batch"}),
            (lambda c, _: c["act"] == "b", {"act"}),
            (lambda c, _: 0.4 < c["m"] < 0.7, {"m"}),
            (lambda c, _: c["lr"] > 0.01 and c["batch"] > 8, {"lr", "batch"}),
            (lambda c, _: c["lr"] > 0.01 and c["act"] == "c", {"lr", "act"}),
        ],
    )
    def test_finds_the_planted_region(self, rule: object, names: set[str]) -> None:
        known, fresh = trials(60, rule), trials(400, rule, seed=1)
        found = learn_regions(known, SPACE)
        assert found
        assert set(found[0].conditions) == names
        assert set(found[0].evidence) <= {t.id for t in known if t.crashed}
        inside = [t.crashed for t in fresh if found[0].contains(t.config)]
        assert np.mean(inside) > 0.9  # it forbids what crashes
        assert len(inside) > 0.5 * sum(t.crashed for t in fresh)  # and most of it

    def test_no_success_lies_inside_and_later_success_contradicts(self) -> None:
        known = trials(60, lambda c, _: c["lr"] > 0.1)
        (region,) = learn_regions(known, SPACE)
        assert contradictions(region, known) == []
        config: Config = {"lr": 5.0, "m": 0.5, "batch": 8, "act": "a"}
        assert contradictions(region, [Trial("x", config, 0.3)])

    def test_crashes_at_random_teach_next_to_nothing(self) -> None:
        alarms = sum(bool(learn_regions(trials(30, lambda _, r: r.random() < 0.3, s), SPACE)) for s in range(100))
        assert alarms <= 15

    @pytest.mark.parametrize("n", [0, 1, 2])
    def test_fewer_than_three_crashes_teach_nothing(self, n: int) -> None:
        known = trials(20, lambda *_: False)
        assert learn_regions(known + [Trial(f"c{i}", known[0].config, None) for i in range(n)], SPACE) == []

    def test_only_crashes_teach_nothing(self) -> None:
        assert learn_regions(trials(10, lambda *_: True), SPACE) == []
