"""What to try to find out why jobs crash, or where a learned region really ends.

An unexplained crash: a success with one suspicious value of the crash put in its place tells whether that value alone
is the cause (one factor at a time; Zeller 2009, ch. 13).  The suspicion of a parameter is how far the crash's value
lies from the values of all successes, 1 for an option that never succeeded.  A learned region: a point inside it, far
from every crash or just beyond the outermost one, all else as in a success; when it succeeds, the region is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import ConfigError
from search.constraints import Region
from search.parameters import Choice
from search.space import Config, Space
from search.trials import Trial

__all__ = ["Probe", "probe"]

ATTEMPTS = 12
UNREACHED = 0.4
"""A share of a half-line without a crash above which its far part is asked about first."""


@dataclass(frozen=True)
class Probe:
    """The configuration, what it is meant to find out, and the trial or region it is about."""

    config: Config
    reason: str
    about: str


def probe(
    space: Space, trials: Sequence[Trial], regions: Sequence[tuple[str, Region]], rng: np.random.Generator
) -> Probe | None:
    """The next probe; None without a crash or without a success.  `regions` are the learned ones, by id."""
    crashes = [t for t in trials if t.crashed]
    successes = [t for t in trials if not t.crashed]
    if not crashes or not successes:
        return None
    unexplained = [c for c in crashes if not any(region.contains(c.config) for _, region in regions)]
    if unexplained:
        return _cause(space, unexplained[-1], successes, rng)
    return _edge(space, regions, crashes, successes, rng)


def _cause(space: Space, crash: Trial, successes: Sequence[Trial], rng: np.random.Generator) -> Probe | None:
    suspicions = np.array([suspicion(space, name, crash, successes) for name in crash.config])
    if suspicions.sum() <= 0:
        return None
    name = str(rng.choice(list(crash.config), p=suspicions / suspicions.sum()))
    for _ in range(ATTEMPTS):
        base = successes[int(rng.integers(len(successes)))].config
        config = _put(space, base, {name: crash.config[name]}, crash.config)
        if config is not None and config != crash.config:
            return Probe(config, f"is {name}={crash.config[name]} why {crash.id} failed?", crash.id)
    return None


def suspicion(space: Space, name: str, crash: Trial, successes: Sequence[Trial]) -> float:
    """How unlike every success the crash is in this parameter, 0 … 1; squared, so that the strangest leads."""
    parameter, values = space[name], [t.config[name] for t in successes if name in t.config]
    if not values:
        return 1.0
    if isinstance(parameter, Choice):
        return 0.0 if any(parameter.index(v) == parameter.index(crash.config[name]) for v in values) else 1.0
    at = parameter.to_unit(crash.config[name])
    return float(min(abs(parameter.to_unit(v) - at) for v in values)) ** 2


def _edge(
    space: Space,
    regions: Sequence[tuple[str, Region]],
    crashes: Sequence[Trial],
    successes: Sequence[Trial],
    rng: np.random.Generator,
) -> Probe | None:
    """A point of the region with the least evidence: in a far part that no crash has reached, if there is one, else
    between its bound and its outermost crash."""
    for region_id, region in sorted(regions, key=lambda entry: (len(entry[1].evidence), entry[0])):
        inside = [c for c in crashes if region.contains(c.config)]
        far = _unreached(space, region, inside, rng)
        if far:
            base = successes[int(rng.integers(len(successes)))].config
            met = inside[int(rng.integers(len(inside)))].config
            config = _put(space, base, {n: met[n] for n in region.conditions} | far, met)
            if config is not None and region.contains(config):
                name = next(iter(far))
                return Probe(config, f"does the region {region} reach as far as {name}={config[name]:.4g}?", region_id)
        numbers = [n for n in region.conditions if not isinstance(space[n], Choice)]
        if not inside:
            continue
        for _ in range(ATTEMPTS):
            base = successes[int(rng.integers(len(successes)))].config
            met = inside[int(rng.integers(len(inside)))].config
            values = {n: met[n] for n in region.conditions if n in met}
            if numbers:
                name = numbers[int(rng.integers(len(numbers)))]
                values[name] = _just_inside(space, name, region, inside, rng)
            config = _put(space, base, values, met)
            if config is not None and region.contains(config):
                return Probe(config, f"does the region {region} really end there?", region_id)
    return None


def _unreached(space: Space, region: Region, inside: Sequence[Trial], rng: np.random.Generator) -> Config:
    """A value in the far part of one of the region's half-lines, beyond every crash, where that part is large."""
    for name, condition in region.conditions.items():
        parameter = space[name]
        if isinstance(parameter, Choice) or not inside or (condition.low is not None and condition.high is not None):
            continue
        places = [parameter.to_unit(t.config[name]) for t in inside]
        end, bound, last = (
            (1.0, min(places), max(places)) if condition.high is None else (0.0, max(places), min(places))
        )
        if abs(end - last) > UNREACHED * abs(end - bound):
            return {name: parameter.from_unit(last + rng.uniform(0.4, 0.9) * (end - last))}
    return {}


def _just_inside(
    space: Space, name: str, region: Region, inside: Sequence[Trial], rng: np.random.Generator
) -> float | int:
    parameter, condition = space[name], region.conditions[name]
    assert not isinstance(parameter, Choice)
    places = sorted(parameter.to_unit(t.config[name]) for t in inside)
    low = None if condition.low is None else parameter.to_unit(condition.low)  # type: ignore[arg-type]  # within bounds
    high = None if condition.high is None else parameter.to_unit(condition.high)  # type: ignore[arg-type]
    use_low = low is not None and (high is None or rng.random() < 0.5)
    outer, inner = (low, places[0]) if use_low else (high, places[-1])
    assert outer is not None
    return parameter.from_unit(outer + rng.uniform(0.05, 0.6) * (inner - outer))


def _put(space: Space, base: Mapping[str, Any], values: Mapping[str, Any], rest: Mapping[str, Any]) -> Config | None:
    """`base` with `values`; parameters that these newly activate come from `rest`."""
    mixed = {**rest, **base, **values}
    try:
        active: Config = {}
        for name in space:
            if space[name].is_active(active):
                active[name] = mixed[name]
        return space.validate_config(active)
    except (KeyError, ConfigError):
        return None
