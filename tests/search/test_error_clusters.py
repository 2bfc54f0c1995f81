"""Messages become templates, errors become clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.error_clusters import ErrorCount, clusters, nature
from search.growth import growth
from search.templates import masked, statement_template

NOW = 1_000_000.0


def count(
    message: str, number: float = 1, ago: float = 60, kind: str = "ValueError", component: str = "web"
) -> ErrorCount:
    return ErrorCount(component, kind, masked(message), number, NOW - ago)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("user 12 has no basket", "user 99123 has no basket"),
        ("cannot read '/tmp/a.txt'", "cannot read '/srv/b c.csv'"),
        ("request 5b8efff798038103d269b633813fc60c failed", "request aa8efff798038103d269b633813fc61d failed"),
        ("at 2026-11-30T10:00:00Z peer 10.0.0.1:80 left", "at 2027-01-02T23:59:59Z peer 192.168.7.4:4431 left"),
        ("took 12ms", "took 7ms"),
    ],
)
def test_values_are_masked(one: str, other: str) -> None:
    assert masked(one) == masked(other)


def test_what_is_said_is_not_masked() -> None:
    assert masked("disk is full") != masked("disk is gone")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a FROM t WHERE id = 1", "SELECT a FROM t WHERE id = 22"),
        ("SELECT a FROM t WHERE n IN (1, 2)", "SELECT a FROM t WHERE n IN (3,4,5)"),
        ("SELECT a FROM t WHERE n = 'O''Hara'", "SELECT a FROM t WHERE n = :name"),
        ("INSERT INTO t VALUES ($1, $2)", "INSERT INTO t VALUES (%s, %s)"),
    ],
)
def test_queries_without_their_values_are_equal(one: str, other: str) -> None:
    assert statement_template(one) == statement_template(other)


def test_names_in_messages_join_and_components_do_not() -> None:
    messages = [f"article {name} is not in the catalogue of this shop" for name in ("tea", "rice", "salt")]
    every = [count(one, 4) for one in messages] + [count(messages[0], 4, component="billing")]
    found = clusters(every, every, NOW)
    assert [(one.component, one.hour_count, one.recurring) for one in found] == [
        ("web", 12, True),
        ("billing", 4, False),
    ]
    assert found[0].template == "article <*> is not in the catalogue of this shop"


@pytest.mark.parametrize(("number", "ago", "recurring"), [(10, 60, False), (11, 60, True), (11, 3700, False)])
def test_more_than_ten_in_the_hour_recur(number: int, ago: float, recurring: bool) -> None:
    every = [count("boom", number, ago)]
    assert clusters(every, every if ago < 3600 else [], NOW)[0].recurring is recurring


@given(st.lists(st.tuples(st.sampled_from(["a b c", "a b d", "x y", "x z 1", ""]), st.integers(1, 9)), max_size=12))
def test_no_error_is_lost_or_counted_twice(told: list[tuple[str, int]]) -> None:
    every = [count(message, number) for message, number in told]
    found = clusters(every, every, NOW)
    assert sum(one.count for one in found) == sum(one.hour_count for one in found) == sum(n for _, n in told)
    assert clusters(every[::-1], every[::-1], NOW) == found


@pytest.mark.parametrize(
    ("kind", "message", "about"),
    [
        ("TimeoutError", "", "timeout"),
        ("OperationalError", "connection refused", "connection"),
        ("ConnectionResetError", "", "connection"),
        ("HTTPStatusError", "Server error '502 Bad Gateway'", "api"),
        ("KeyError", "no price", "error_pattern"),
    ],
)
def test_what_an_error_is_about(kind: str, message: str, about: str) -> None:
    assert nature(kind, message) == about


@pytest.mark.parametrize(("exponent", "beyond"), [(0.5, False), (1.0, False), (2.0, True), (3.0, True)])
def test_growth_is_found_through_noise(exponent: float, beyond: bool) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        sizes = rng.integers(10, 1000, 80).astype(float)
        grown = growth(list(sizes), list(1e-6 * sizes**exponent * rng.lognormal(0, 0.3, 80)))
        assert grown is not None
        assert grown.superlinear is beyond
        assert grown.exponent == pytest.approx(exponent, abs=0.2)


def test_sizes_that_are_all_alike_tell_no_growth() -> None:
    assert growth([10.0] * 50, [0.1] * 50) is None
    assert growth([1.0, 100.0], [0.1, 10.0]) is None
