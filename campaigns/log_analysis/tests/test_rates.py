from __future__ import annotations

import math
import random
import statistics
from itertools import pairwise

import pytest
from lines import at
from logstats import busiest, curve, per_window, percentile, running_median, surges


def test_windows_begin_at_the_first_moment_and_may_be_empty():
    assert per_window([at(25), at(0), at(9), at(10)], 10) == [(at(0), 2), (at(10), 1), (at(20), 1)]
    assert per_window([at(0), at(31)], 10) == [(at(0), 1), (at(10), 0), (at(20), 0), (at(30), 1)]
    assert per_window([at(3)], 10) == [(at(3), 1)]
    assert per_window([], 10) == []


def test_every_moment_is_in_one_window():
    chance = random.Random(9)
    for _ in range(20):
        moments = [at(chance.randint(0, 500)) for _ in range(chance.randint(1, 60))]
        windows = per_window(moments, 30)
        assert sum(count for _, count in windows) == len(moments)
        assert all((b[0] - a[0]).total_seconds() == 30 for a, b in pairwise(windows))
        assert windows[-1][1] > 0


def test_the_busiest_moment_is_the_first_with_most_before_it():
    assert busiest([at(0), at(5), at(10), at(40), at(45), at(50)], 10) == (at(10), 3)
    assert busiest([at(50), at(0), at(0)], 10) == (at(0), 2)
    assert busiest(iter([at(7)]), 0) == (at(7), 1)
    assert busiest([], 10) is None


def test_the_busiest_moment_agrees_with_counting():
    chance = random.Random(10)
    for _ in range(20):
        moments = [at(chance.randint(0, 300)) for _ in range(80)]
        span = chance.choice([0, 1, 10, 60])
        counts = {moment: sum(0 <= (moment - other).total_seconds() <= span for other in moments) for moment in moments}
        found = busiest(moments, span)
        assert found == min(counts.items(), key=lambda item: (-item[1], item[0]))


def test_surges_are_far_above_what_came_before():
    calm = [5, 6, 5, 7, 6, 5]
    assert surges([*calm, 30, 6, 5, 31], 2.0) == [6, 9]
    assert surges([*calm, 10], 2.0) == []
    assert surges([*calm, 11], 2.0) == [6]
    assert surges([1, 1, 1, 1, 50, 60, 50, 70], 2.0) == [7]
    assert surges([1, 9], 2.0, memory=1) == [1]
    assert surges([], 2.0) == []


def test_surges_agree_with_looking_back():
    chance = random.Random(11)
    counts = [chance.randint(0, 20) for _ in range(200)]
    wanted = []
    for i in range(4, 200):
        before = counts[i - 4 : i]
        if counts[i] > 1.5 * statistics.fmean(sorted(before)[:3]) and counts[i] > statistics.fmean(before[-2:]):
            wanted.append(i)
    assert surges(counts, 1.5, memory=4) == wanted


def test_percentiles_lie_between_their_neighbours():
    values = [40.0, 10.0, 30.0, 20.0]
    assert percentile(values, 0) == 10.0
    assert percentile(values, 100) == 40.0
    assert percentile(values, 50) == 25.0
    assert percentile(values, 90) == pytest.approx(37.0)
    assert percentile([7.0], 33) == 7.0
    assert math.isnan(percentile([], 50))
    assert values == [40.0, 10.0, 30.0, 20.0]


def test_a_curve_is_its_percentiles():
    chance = random.Random(12)
    values = [chance.gauss(0, 1) for _ in range(101)]
    shares = [99, 50, 0, 12.5, 50]
    assert curve(values, iter(shares)) == [(share, percentile(values, share)) for share in shares]
    assert [value for _, value in curve(values, range(101))] == sorted(values)
    assert values != sorted(values)
    assert curve(values, []) == []
    assert math.isnan(curve([], [50])[0][1])


def test_a_running_median_sees_only_what_came_before():
    assert running_median([5.0, 1.0, 9.0, 2.0]) == [5.0, 3.0, 5.0, 3.5]
    assert running_median(iter([2, 2, 2])) == [2, 2, 2]
    assert running_median([]) == []


def test_running_medians_agree_with_the_statistics_module():
    chance = random.Random(13)
    values = [round(chance.expovariate(1.0), 2) for _ in range(120)]
    assert running_median(values) == [statistics.median(values[: i + 1]) for i in range(120)]
