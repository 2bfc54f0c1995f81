from __future__ import annotations

import math
import random

import pytest
from quadrature import AccuracyError, Result, integrate

TOLERANCES = [1e-4, 1e-6, 1e-8, 1e-10]


def error_of(function, antiderivative, low, high, tolerance):
    """The error as a multiple of the tolerance."""
    return (
        abs(integrate(function, low, high, tolerance).value - (antiderivative(high) - antiderivative(low))) / tolerance
    )


@pytest.mark.parametrize("tolerance", TOLERANCES)
def test_polynomials(tolerance):
    assert error_of(lambda x: 3 * x * x - 2 * x + 1, lambda x: x**3 - x * x + x, -2, 5, tolerance) <= 1
    assert error_of(lambda x: x**9, lambda x: x**10 / 10, -1, 2, tolerance) <= 1
    assert error_of(lambda _: 4.0, lambda x: 4 * x, 1, 2, tolerance) <= 1


@pytest.mark.parametrize("tolerance", TOLERANCES)
def test_exponentials_and_roots(tolerance):
    assert error_of(math.exp, math.exp, -3, 3, tolerance) <= 1
    assert error_of(lambda x: 1 / x, math.log, 0.1, 9, tolerance) <= 1
    assert error_of(lambda x: math.sqrt(x), lambda x: 2 / 3 * x**1.5, 0.01, 4, tolerance) <= 1


@pytest.mark.parametrize("tolerance", TOLERANCES)
def test_waves_that_decay(tolerance):
    chance = random.Random(2)
    for _ in range(40):
        decay, pace, width = chance.uniform(0.01, 0.6), 10 ** chance.uniform(-0.5, 1.2), chance.uniform(1, 20)

        def wave(x, decay=decay, pace=pace):
            return math.exp(-decay * x) * math.sin(pace * x)

        def antiderivative(x, decay=decay, pace=pace):
            return (
                -math.exp(-decay * x) * (decay * math.sin(pace * x) + pace * math.cos(pace * x)) / (decay**2 + pace**2)
            )

        assert error_of(wave, antiderivative, 0, width, tolerance) <= 1


@pytest.mark.parametrize("tolerance", TOLERANCES)
def test_lines_anywhere(tolerance):
    chance = random.Random(3)
    for _ in range(40):
        width = chance.uniform(1, 50)
        lines = [
            (chance.uniform(0, width), chance.uniform(0.01, 0.2) * width, chance.uniform(0.1, 2))
            for _ in range(chance.randint(1, 6))
        ]

        def spectrum(x, lines=lines):
            return sum(top / (1 + ((x - centre) / half) ** 2) for centre, half, top in lines)

        def antiderivative(x, lines=lines):
            return sum(top * half * math.atan((x - centre) / half) for centre, half, top in lines)

        assert error_of(spectrum, antiderivative, 0, width, tolerance) <= 1


@pytest.mark.parametrize("tolerance", TOLERANCES)
def test_fronts_anywhere(tolerance):
    chance = random.Random(4)
    for _ in range(40):
        width = chance.uniform(1, 10)
        place, steepness = chance.uniform(0, 1) * width, 10 ** chance.uniform(0, 2) / width

        def front(x, place=place, steepness=steepness):
            return 1 / (1 + math.exp(-(x - place) * steepness))

        def antiderivative(x, place=place, steepness=steepness):
            z = (x - place) * steepness
            return (max(z, 0.0) + math.log1p(math.exp(-abs(z)))) / steepness

        assert error_of(front, antiderivative, 0, width, tolerance) <= 1


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3])
def test_bells_are_found_wherever_they_stand(share):
    """A bell whose width at half its height is that share of the interval."""
    chance = random.Random(5)
    spread = share / (2 * math.sqrt(2 * math.log(2)))
    for i in range(60):
        centre = (i + chance.random()) / 60

        def bell(x, centre=centre):
            return math.exp(-(((x - centre) / spread) ** 2) / 2)

        def antiderivative(x, centre=centre):
            return spread * math.sqrt(math.pi / 2) * math.erf((x - centre) / (spread * math.sqrt(2)))

        assert error_of(bell, antiderivative, 0, 1, 1e-8) <= 1


def test_bounds_may_be_equal_or_exchanged():
    there = integrate(math.exp, 0, 2)
    back = integrate(math.exp, 2, 0)
    assert there.value == pytest.approx(math.e**2 - 1, abs=1e-8)
    assert back.value == pytest.approx(-there.value, abs=1e-8)
    assert integrate(math.exp, 1, 1).value == 0.0


def test_parts_sum_to_the_whole():
    def function(x):
        return math.sin(x * x) + x

    whole = integrate(function, 0, 6, 1e-9).value
    assert integrate(function, 0, 2.5, 1e-9).value + integrate(function, 2.5, 6, 1e-9).value == pytest.approx(
        whole, abs=3e-9
    )


def test_a_result_tells_how_it_was_reached():
    easy, hard = integrate(lambda _: 1.0, 0, 1), integrate(lambda x: 1 / (0.0025 + x * x), -1, 1, 1e-9)
    assert isinstance(easy, Result)
    assert 1 <= easy.panels < hard.panels
    assert hard.value == pytest.approx(40 * math.atan(20), abs=1e-9)
    assert 0 <= easy.error <= 1e-8
    assert hard.error >= 0


def test_the_function_is_taken_as_it_is_now():
    slope = [1.0]

    def line(x):
        return slope[0] * x

    assert integrate(line, 0, 2).value == pytest.approx(2.0)
    slope[0] = 3.0
    assert integrate(line, 0, 2).value == pytest.approx(6.0)
    slope[0] = 1.0
    assert integrate(line, 0, 2).value == pytest.approx(2.0)


def test_a_result_is_the_callers_own():
    integrate(math.cos, 0, 1).value = 7.0
    assert integrate(math.cos, 0, 1).value == pytest.approx(math.sin(1))


def test_what_a_function_raises_comes_through():
    with pytest.raises(ZeroDivisionError):
        integrate(lambda x: 1 / (x - x), 0, 1)


def test_a_function_that_is_too_rough_is_given_up():
    with pytest.raises(AccuracyError, match="panels are not enough"):
        integrate(lambda x: math.sin(1e7 * x) * 1e3, 0, 1, 1e-10)


@pytest.mark.parametrize("bounds", [(0, math.inf), (-math.inf, 0), (math.nan, 1)])
def test_bounds_that_are_not_finite_are_refused(bounds):
    with pytest.raises(ValueError, match="finite"):
        integrate(math.exp, *bounds)


@pytest.mark.parametrize("tolerance", [0.0, -1e-9, math.nan])
def test_a_tolerance_that_is_not_positive_is_refused(tolerance):
    with pytest.raises(ValueError, match="positive"):
        integrate(math.exp, 0, 1, tolerance)
