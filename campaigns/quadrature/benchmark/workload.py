"""Integrals whose value is known in closed form, drawn from a seed: spectra, decaying waves, fronts and bells.

Most are short and easy; a few are long, with many peaks or hundreds of oscillations.  Equal seeds and sizes give equal
integrals.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Integral", "draw"]

Function = Callable[[float], float]


@dataclass(frozen=True)
class Integral:
    """A function, its bounds, and the integral between them as the antiderivative gives it."""

    function: Function
    low: float
    high: float
    value: float


def draw(seed: int, short: int = 750, long: int = 45) -> list[Integral]:
    """So many short and long integrals, in mixed order."""
    chance = random.Random(f"{seed} {short} {long}")
    kinds = [_one_line, _wave, _front, _bell]
    drawn = [kinds[i % 4](chance, chance.uniform(2, 8)) for i in range(short)]
    drawn += [[_spectrum, _long_wave][i % 2](chance, chance.uniform(30, 60)) for i in range(long)]
    chance.shuffle(drawn)
    return drawn


def _between(function: Function, antiderivative: Function, low: float, high: float) -> Integral:
    return Integral(function, low, high, antiderivative(high) - antiderivative(low))


def _lines(lines: list[tuple[float, float, float]], width: float) -> Integral:
    """Lorentz lines, each with a centre, half its width at half its height, and its height."""

    def spectrum(x: float) -> float:
        height = 0.0
        for centre, half, top in lines:
            height += top / (1 + ((x - centre) / half) ** 2)
        return height

    return _between(spectrum, lambda x: sum(t * h * math.atan((x - c) / h) for c, h, t in lines), 0.0, width)


def _one_line(chance: random.Random, width: float) -> Integral:
    return _lines([(chance.uniform(0, width), chance.uniform(0.05, 0.3) * width, chance.uniform(0.5, 2))], width)


def _spectrum(chance: random.Random, width: float) -> Integral:
    lines = [
        (chance.uniform(0, width), chance.uniform(0.01, 0.03) * width, chance.uniform(0.1, 2))
        for _ in range(chance.randint(4, 8))
    ]
    return _lines(lines, width)


def _damped(decay: float, pace: float, width: float) -> Integral:
    """exp(-decay x) sin(pace x)."""
    scale = decay * decay + pace * pace
    return _between(
        lambda x: math.exp(-decay * x) * math.sin(pace * x),
        lambda x: -math.exp(-decay * x) * (decay * math.sin(pace * x) + pace * math.cos(pace * x)) / scale,
        0.0,
        width,
    )


def _wave(chance: random.Random, width: float) -> Integral:
    return _damped(chance.uniform(0.02, 0.5), chance.uniform(1, 6), width)


def _long_wave(chance: random.Random, width: float) -> Integral:
    return _damped(chance.uniform(0.01, 0.05), chance.uniform(5, 15), width)


def _front(chance: random.Random, width: float) -> Integral:
    """A logistic step, 1 / (1 + exp(-steepness (x - place)))."""
    place, steepness = chance.uniform(0.2, 0.8) * width, 10 ** chance.uniform(0.0, 1.3) * 5 / width

    def antiderivative(x: float) -> float:
        z = (x - place) * steepness
        return (max(z, 0.0) + math.log1p(math.exp(-abs(z)))) / steepness

    return _between(lambda x: 1 / (1 + math.exp(-(x - place) * steepness)), antiderivative, 0.0, width)


def _bell(chance: random.Random, width: float) -> Integral:
    """A normal density."""
    centre, spread = chance.uniform(0, width), chance.uniform(0.03, 0.2) * width
    return _between(
        lambda x: math.exp(-(((x - centre) / spread) ** 2) / 2) / (spread * math.sqrt(2 * math.pi)),
        lambda x: math.erf((x - centre) / (spread * math.sqrt(2))) / 2,
        0.0,
        width,
    )
