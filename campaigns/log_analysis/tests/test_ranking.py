from __future__ import annotations

import random
from collections import Counter

import pytest
from lines import request
from logstats import slowest, top, unique


def test_unique_keeps_the_first_of_each_in_order():
    assert unique(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]
    assert unique(iter([3, 1, 3, 2])) == [3, 1, 2]
    assert unique([]) == []
    assert unique([("a", 1), ("a", 2), ("a", 1)]) == [("a", 1), ("a", 2)]


def test_unique_keeps_the_first_of_equals_that_look_different():
    assert [type(one) for one in unique([1, 1.0, True, 0.0, 0])] == [int, float]


def test_unique_agrees_with_a_plain_search():
    chance = random.Random(7)
    for _ in range(20):
        items = [f"{chance.randint(0, 40)} of {chance.choice('abc')}" for _ in range(100)]
        assert unique(items) == [item for i, item in enumerate(items) if item not in items[:i]]


def test_top_is_by_count_and_then_by_name():
    counts = {"pear": 2, "fig": 5, "apple": 2, "date": 2, "plum": 9}
    assert top(counts, 4) == [("plum", 9), ("fig", 5), ("apple", 2), ("date", 2)]
    assert top(counts, 0) == []
    assert len(top(counts, 99)) == 5
    assert top({}, 3) == []


def test_top_leaves_the_counts_alone():
    counts = {"a": 1, "b": 2}
    top(counts, 2)
    assert counts == {"a": 1, "b": 2}


@pytest.mark.parametrize("k", [1, 3, 10, 1000])
def test_top_agrees_with_sorting(k):
    chance = random.Random(k)
    counts = Counter(f"name {chance.randint(0, 200)}" for _ in range(500))
    assert top(counts, k) == sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:k]


def test_slowest_keeps_the_order_of_equals():
    durations = [0.5, 2.0, 0.5, 3.0, 2.0, 0.1]
    requests = [request(i, duration=duration) for i, duration in enumerate(durations)]
    assert slowest(requests, 4) == [requests[3], requests[1], requests[4], requests[0]]
    assert slowest(requests, 0) == []
    assert slowest([], 3) == []
    assert [one.duration for one in requests] == durations


def test_slowest_agrees_with_sorting():
    chance = random.Random(8)
    requests = [request(i, duration=chance.randint(1, 9) / 4) for i in range(200)]
    for k in (1, 5, 50, 500):
        wanted = sorted(requests, key=lambda one: one.duration, reverse=True)[:k]
        assert [id(one) for one in slowest(requests, k)] == [id(one) for one in wanted]
