from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.statistics import noise_floor, paired_bootstrap, paired_difference, standard_error


class TestPairedDifference:
    def test_textbook_interval(self) -> None:
        # d = 1, 2, 3: mean 2, s = 1, t(2, .975) = 4.302653
        result = paired_difference([0, 0, 0], [1, 2, 3])
        half = 4.302652729911275 / math.sqrt(3)
        assert (result.mean, result.n) == (2, 3)
        assert (result.low, result.high) == (pytest.approx(2 - half), pytest.approx(2 + half))
        assert result.verdict == "cannot tell"

    def test_clear_gain_clear_loss_and_one_pair(self) -> None:
        before = [0.80, 0.81, 0.79, 0.80]
        after = [0.85, 0.86, 0.85, 0.84]
        assert paired_difference(before, after).verdict == "better"
        assert paired_difference(after, before).verdict == "worse"
        assert paired_difference(before, after, margin=0.05).verdict == "cannot tell"
        assert paired_difference([0.1], [0.9]).verdict == "cannot tell"

    def test_interval_covers_the_truth_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(0)
        for method, low, high in (("t", 0.93, 0.97), ("bootstrap", 0.85, 0.97)):
            hits = 0
            for _ in range(600):
                a = rng.standard_normal(8)
                b = a + 0.3 + rng.standard_normal(8)
                r = paired_difference(a, b) if method == "t" else paired_bootstrap(a, b, rng, draws=400)
                hits += r.low <= 0.3 <= r.high
            assert low <= hits / 600 <= high

    @given(st.lists(st.floats(-100, 100), min_size=2, max_size=12), st.floats(-10, 10))
    def test_mirror(self, values: list[float], shift: float) -> None:
        other = [v * 0.5 + shift for v in values]
        a, b = paired_difference(values, other), paired_difference(other, values)
        assert a.mean == pytest.approx(-b.mean)
        assert (a.low, a.high) == (pytest.approx(-b.high), pytest.approx(-b.low))

    @pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [1.0, 2.0]), ([1.0, math.nan], [1.0, 2.0])])
    def test_bad_pairs_are_refused(self, a: list[float], b: list[float]) -> None:
        with pytest.raises(ValueError, match=r"pairs|finite"):
            paired_difference(a, b)


class TestNoiseFloor:
    def test_pools_within_groups_only(self) -> None:
        assert noise_floor([[1.0, 3.0], [101.0, 103.0], [50.0]]) == pytest.approx(math.sqrt(2))

    def test_unknown_without_repeats(self) -> None:
        assert noise_floor([[1.0], [2.0]]) is None
        assert standard_error([1.0]) is None
        assert standard_error([1.0, 3.0]) == pytest.approx(1.0)
