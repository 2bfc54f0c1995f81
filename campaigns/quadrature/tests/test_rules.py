from __future__ import annotations

import math
import random

import pytest
from quadrature import apply_rule, gauss_rule
from quadrature.rules import legendre

ORDERS = [1, 2, 3, 4, 5, 7, 10, 16, 25, 40]


@pytest.mark.parametrize("n", ORDERS)
def test_nodes_are_the_zeros_of_the_polynomial_from_left_to_right(n):
    nodes = [node for node, _ in gauss_rule(n)]
    assert len(nodes) == n
    assert nodes == sorted(nodes)
    assert all(-1 < node < 1 for node in nodes)
    assert all(abs(legendre(n, node)[0]) < 1e-13 for node in nodes)


@pytest.mark.parametrize("n", ORDERS)
def test_a_rule_is_symmetric_and_its_weights_sum_to_two(n):
    rule = gauss_rule(n)
    assert math.fsum(weight for _, weight in rule) == pytest.approx(2.0, abs=1e-13)
    for (left, one), (right, other) in zip(rule, reversed(rule), strict=True):
        assert left == pytest.approx(-right, abs=1e-14)
        assert one == pytest.approx(other, abs=1e-13)


@pytest.mark.parametrize("n", ORDERS)
def test_a_rule_is_exact_up_to_its_degree_and_not_beyond(n):
    for degree in range(2 * n):
        wanted = 2 / (degree + 1) if degree % 2 == 0 else 0.0
        assert math.fsum(weight * node**degree for node, weight in gauss_rule(n)) == pytest.approx(wanted, abs=1e-13)
    if n <= 10:
        beyond = math.fsum(weight * node ** (2 * n) for node, weight in gauss_rule(n))
        assert abs(beyond - 2 / (2 * n + 1)) > 1e-9


def test_known_rules():
    assert gauss_rule(1) == ((pytest.approx(0.0, abs=1e-16), pytest.approx(2.0)),)
    (left, weight), (right, _) = gauss_rule(2)
    assert (left, right, weight) == pytest.approx((-math.sqrt(1 / 3), math.sqrt(1 / 3), 1.0))
    assert [weight for _, weight in gauss_rule(3)] == pytest.approx([5 / 9, 8 / 9, 5 / 9])


@pytest.mark.parametrize("n", [0, -3])
def test_a_rule_without_nodes_is_refused_each_time(n):
    for _ in range(2):
        with pytest.raises(ValueError, match="at least one node"):
            gauss_rule(n)


def test_orders_do_not_mix():
    assert [len(gauss_rule(n)) for n in (3, 5, 3, 1, 5)] == [3, 5, 3, 1, 5]


def test_a_rule_is_applied_to_any_interval():
    chance = random.Random(1)
    for _ in range(50):
        n = chance.randint(1, 8)
        low, high = chance.uniform(-5, 5), chance.uniform(-5, 5)
        factors = [chance.uniform(-1, 1) for _ in range(2 * n)]

        def polynomial(x, factors=factors):
            return sum(factor * x**power for power, factor in enumerate(factors))

        wanted = sum(
            factor * (high ** (power + 1) - low ** (power + 1)) / (power + 1) for power, factor in enumerate(factors)
        )
        scale = sum(abs(factor) * 5.0 ** (power + 1) for power, factor in enumerate(factors))
        assert apply_rule(gauss_rule(n), polynomial, low, high) == pytest.approx(wanted, abs=1e-13 * scale)


def test_the_function_is_asked_once_per_node():
    asked = []
    apply_rule(gauss_rule(4), lambda x: asked.append(x) or 1.0, 0.0, 2.0)
    apply_rule(gauss_rule(4), lambda x: asked.append(x) or 1.0, 0.0, 2.0)
    assert len(asked) == 8
    assert asked[:4] == pytest.approx([1 + node for node, _ in gauss_rule(4)])
