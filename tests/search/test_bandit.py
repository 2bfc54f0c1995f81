"""The bandit: learns who succeeds, forgets, starves nobody, and is a function of what it was told."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.bandit import FULL, Bandit, Prior, log_gain

NAMES = ("hoist", "memo", "rewrite")
OUTCOMES = st.lists(st.tuples(st.sampled_from([*NAMES, "gone"]), st.floats(-1, 2)), max_size=60)


def told(outcomes: list[tuple[str, float]], **options: object) -> Bandit:
    bandit = Bandit(NAMES, **options)  # type: ignore[arg-type]
    for operator, gain in outcomes:
        bandit.tell(operator, gain)
    return bandit


def shares(bandit: Bandit, in_flight: list[str] | None = None, draws: int = 2000) -> dict[str, float]:
    rng = np.random.default_rng(0)
    counts = Counter(bandit.ask(rng, in_flight or []) for _ in range(draws))
    return {name: counts[name] / draws for name in NAMES}


@given(OUTCOMES, st.lists(st.sampled_from(NAMES), max_size=5), st.integers(0, 2**31))
def test_it_is_a_function_of_the_outcomes_and_the_generator(outcomes, in_flight, seed: int) -> None:
    first, second = told(outcomes), told(outcomes)
    first.ask(np.random.default_rng(1))  # asking leaves no trace
    rngs = np.random.default_rng(seed), np.random.default_rng(seed)
    answers = [first.ask(rngs[0], in_flight) for _ in range(5)]
    assert answers == [second.ask(rngs[1], in_flight) for _ in range(5)]
    assert set(answers) <= set(NAMES)
    assert first.rates() == second.rates()


@given(OUTCOMES, st.floats(0.5, 1))
def test_rates_are_rates(outcomes: list[tuple[str, float]], discount: float) -> None:
    rates = told(outcomes, discount=discount).rates()
    for name, rate in rates.items():
        mine = [gain for operator, gain in outcomes if operator == name]
        assert (rate.told, rate.improved) == (len(mine), sum(gain > 0 for gain in mine))
        assert 0 < rate.success < 1
        assert 0 <= rate.gain <= FULL + 1e-12


def test_believed_rates_by_hand() -> None:
    bandit = told([("hoist", 0.1), ("hoist", 0.0), ("memo", 5.0)], discount=1.0)
    usual = (1.2 / 3 + 1.2 / 2 + 0.2) / 3
    size = (0.1 + FULL) / 2
    hoist, memo, untried = bandit.rates().values()
    assert hoist.success == pytest.approx((2 * usual + 1) / 4)
    assert memo.success == pytest.approx((2 * usual + 1) / 3)
    assert untried.success == pytest.approx(usual)
    assert hoist.gain == pytest.approx(hoist.success * (0.1 + size) / 2)
    assert memo.gain == pytest.approx(memo.success * (FULL + size) / 2)
    assert untried.gain == pytest.approx(usual * size)


def test_who_succeeds_is_asked_and_who_gains_much_too() -> None:
    often = told([("hoist", 0.1), ("memo", 0.0), ("rewrite", 0.0)] * 20)
    assert shares(often)["hoist"] > 0.9
    seldom_but_much = [("hoist", 0.01), ("memo", 0.0), ("hoist", 0.01), ("memo", 0.5)] * 20
    assert shares(told(seldom_but_much))["memo"] > 0.8


def test_the_unit_of_the_gains_does_not_matter() -> None:
    pattern = [("hoist", 0.1), ("memo", 0.0), ("rewrite", 0.02)] * 5
    small = [(operator, gain / 64) for operator, gain in pattern]
    assert shares(told(pattern)) == shares(told(small))


def test_what_worked_once_is_given_up_and_what_was_given_up_comes_back() -> None:
    past = [("hoist", 0.1), ("memo", 0.0), ("rewrite", 0.0)] * 30
    since = [("hoist", 0.0), ("hoist", 0.0), ("memo", 0.1)] * 30
    assert shares(told(past))["hoist"] > 0.9
    assert shares(told(past + since))["memo"] > 0.9
    # it has failed for long: the others, long untried, are believed to be worth more than it again
    failing = shares(told(past + [("hoist", 0.0)] * 400))
    assert failing["hoist"] < 0.25
    assert min(failing["memo"], failing["rewrite"]) > 0.35


def test_nothing_starves() -> None:
    bandit = told([("hoist", 0.5), ("memo", 0.0), ("rewrite", 0.0)] * 200, discount=1.0, floor=0.05)
    for name, share in shares(bandit, draws=4000).items():
        assert share > 0.035, name
    assert shares(told([], floor=1.0))["hoist"] == pytest.approx(1 / 3, abs=0.05)


def test_a_prior_says_where_to_begin_and_is_overruled() -> None:
    priors = {"memo": Prior(success=0.6, outcomes=10), "unknown": Prior(0.9)}
    assert shares(told([], priors=priors))["memo"] > 0.7
    assert shares(told([]))["memo"] == pytest.approx(1 / 3, abs=0.05)
    assert shares(told([("memo", 0.0)] * 60 + [("hoist", 0.1)] * 10, priors=priors))["memo"] < 0.2


def test_what_is_in_flight_makes_a_draw_surer() -> None:
    bandit = told([("hoist", 0.1), ("hoist", 0.0), ("memo", 0.0)], floor=0.0)
    assert shares(bandit, ["hoist"] * 50)["hoist"] > shares(bandit)["hoist"]  # the better one, no longer in doubt
    assert shares(bandit, ["rewrite"] * 50)["rewrite"] < shares(bandit)["rewrite"]  # the hope is in flight already
    assert shares(bandit, ["gone"]) == shares(bandit)
    assert bandit.rates() == told([("hoist", 0.1), ("hoist", 0.0), ("memo", 0.0)]).rates()


@settings(max_examples=20)
@given(st.integers(0, 2**31))
def test_the_order_in_which_late_outcomes_come_matters_little(seed: int) -> None:
    outcomes = [("hoist", 0.1), ("memo", 0.0), ("rewrite", 0.05), ("hoist", 0.0)] * 10
    shuffled = [outcomes[i] for i in np.random.default_rng(seed).permutation(40)]
    for name, rate in told(outcomes).rates().items():
        assert told(shuffled).rates()[name].success == pytest.approx(rate.success, abs=0.08)


def test_a_gain_of_time() -> None:
    assert log_gain(2.0, 1.0) == pytest.approx(math.log(2))
    assert log_gain(1.0, 2.0) == 0


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no number"):
        told([("hoist", math.nan)])
    for operators in ((), ("a", "a")):
        with pytest.raises(ValueError, match="operators"):
            Bandit(operators)
    for options in ({"discount": 0.0}, {"discount": 1.1}, {"floor": -0.1}, {"floor": math.nan}):
        with pytest.raises(ValueError, match="shares"):
            Bandit(NAMES, **options)
    for prior in (Prior(0.0), Prior(1.0), Prior(0.5, 0.0), Prior(0.5, math.inf)):
        with pytest.raises(ValueError, match="prior"):
            Bandit(NAMES, priors={"memo": prior})
