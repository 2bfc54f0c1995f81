"""Learning forbidden regions from crashes: where do failures concentrate, and no success lies?

Notation: n trials, f of them crashed.  A candidate region holds k crashes and no finished trial.  If crashes fell at
random, k given trials would all be crashes with probability

    P = C(f, k) / C(n, k)                                       (hypergeometric)

and a region is believed when P times the number of places it could have been found in (positions × choices of
parameters, Bonferroni) is at most `doubt`.  The surest come first, and among equals the one that costs less of the
space; each must explain crashes that those before it do not.

The outermost crash lies inside the true edge.  For k crashes spread evenly over a share w of the unit interval, w/k
(half-line) or w/(k - 1) (interval) is by how much, on average; a bound is moved out by that (an interval's at least
half-way to the next success), but at most `REACH` of the way to the nearest success that meets the other condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from search.constraints import Condition, Region
from search.parameters import Choice, Float, Int
from search.space import Space
from search.trials import Trial

__all__ = ["contradictions", "learn_regions", "region_share"]

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
REACH = 0.75
"""How far towards the nearest success a bound may move, as a share of that gap."""
MOST = 100
"""The most crashes looked at, the newest."""


@dataclass(frozen=True, eq=False, slots=True)
class _Cut:
    """One condition on one parameter: whom it holds for, its share of the unit interval, where it could have been."""

    name: str
    condition: Condition
    inside: Mask
    share: float
    positions: int
    simple: bool = True


def learn_regions(
    trials: Sequence[Trial], space: Space, *, least: int = 3, doubt: float = 0.1, most: int = 8
) -> list[Region]:
    """Up to `most` regions with at least `least` crashes and no finished trial inside, the surest first.

    Deterministic.  An empty list when the crashes could as well have fallen at random.
    """
    crashes = [t for t in trials if t.crashed][-MOST:]
    known = [t for t in trials if not t.crashed] + crashes
    crashed = np.array([t.crashed for t in known], dtype=bool)
    f = int(crashed.sum())
    if f < least or f == len(known):
        return []
    cuts = [cut for name in space for cut in _cuts(name, known, crashed, space)]
    candidates = [(cut,) for cut in cuts if not (cut.inside & ~crashed).any()] + _pairs(cuts, crashed, least)
    d = len(space)
    judged: list[tuple[float, float, tuple[_Cut, ...], Mask]] = []
    for chosen in candidates:
        mask = np.logical_and.reduce([cut.inside for cut in chosen])
        # a pair has d(d-1)/2 choices of parameters, and its corner could sit at any of the crashes
        places = d if len(chosen) == 1 else f * d * (d - 1) / 2
        tries = places * float(np.prod([cut.positions for cut in chosen]))
        p = tries * _chance(len(known), f, int(mask.sum()))
        if mask.sum() >= least and p <= doubt:
            judged.append((p, float(np.prod([cut.share for cut in chosen])), chosen, mask))
    judged.sort(key=lambda j: (j[0], j[1]))
    out: list[Region] = []
    unexplained = crashed.copy()
    for _, _, chosen, mask in judged:
        if len(out) < most and (mask & unexplained).sum() >= least:
            unexplained &= ~mask
            out.append(_region(chosen, mask, known, crashed, space))
    return out


def _pairs(cuts: Sequence[_Cut], crashed: Mask, least: int) -> list[tuple[_Cut, ...]]:
    """The pairs of tails and options of two parameters that hold `least` crashes, no success, and the most crashes."""
    simple = [cut for cut in cuts if cut.simple]
    if not simple:
        return []
    M = np.array([cut.inside for cut in simple], dtype=np.float32)
    good = M[:, ~crashed] @ M[:, ~crashed].T
    bad = M[:, crashed] @ M[:, crashed].T
    share = np.array([cut.share for cut in simple])
    owner = np.array([cut.name for cut in simple])
    out: list[tuple[_Cut, ...]] = []
    for a, b in combinations(dict.fromkeys(owner.tolist()), 2):
        rows, columns = np.flatnonzero(owner == a), np.flatnonzero(owner == b)
        block = np.ix_(rows, columns)
        fits = (good[block] == 0) & (bad[block] >= least)
        if not fits.any():
            continue
        # the ten with the most crashes, the smaller part of the space first among equals
        rank = np.where(fits, bad[block] - np.outer(share[rows], share[columns]), -np.inf).ravel()
        for flat in np.argsort(-rank, kind="stable")[: min(10, int(fits.sum()))]:
            i, j = np.unravel_index(int(flat), fits.shape)
            out.append((simple[rows[i]], simple[columns[j]]))
    return out


def contradictions(region: Region, trials: Sequence[Trial]) -> list[Trial]:
    """The finished trials inside the region: evidence to withdraw it."""
    return [t for t in trials if not t.crashed and region.contains(t.config)]


def region_share(region: Region, space: Space) -> float:
    """The region's share of the unit cube."""
    share = 1.0
    for name, condition in region.conditions.items():
        parameter = space[name]
        if isinstance(parameter, Choice):
            share *= len(condition.options or ()) / len(parameter.options)
        else:
            low = 0.0 if condition.low is None else parameter.to_unit(_inside(condition.low, parameter))
            high = 1.0 if condition.high is None else parameter.to_unit(_inside(condition.high, parameter))
            share *= max(high - low, 1e-6)
    return share


def _inside(value: float, parameter: Float | Int) -> Any:
    return min(max(value, parameter.low), parameter.high)


def _cuts(name: str, known: Sequence[Trial], crashed: Mask, space: Space) -> list[_Cut]:
    parameter = space[name]
    has = np.array([name in t.config for t in known], dtype=bool)
    out: list[_Cut] = []
    if isinstance(parameter, Choice):
        places = np.array([parameter.index(t.config[name]) if name in t.config else -1 for t in known])
        k = len(parameter.options)
        for i in sorted({int(i) for i in places[crashed & has]}):
            condition = Condition(options=(parameter.options[i],))
            out.append(_Cut(name, condition, places == i, 1 / k, k))
        return out
    values = np.array([float(t.config[name]) if name in t.config else np.nan for t in known])

    def unit(x: float) -> float:
        return parameter.to_unit(int(x)) if isinstance(parameter, Int) else parameter.to_unit(x)

    for edge in np.unique(values[crashed & has]):
        x = float(edge)
        u = unit(x)
        out.append(_Cut(name, Condition(low=x), has & (values >= x), 1 - u, 2))
        out.append(_Cut(name, Condition(high=x), has & (values <= x), u, 2))
    # runs of crashes between two successes; at the ends the tails say it better
    order = np.argsort(np.where(has, values, np.inf), kind="stable")[: int(has.sum())]
    ends = np.flatnonzero(~crashed[order])
    for first, last in zip(ends[:-1] + 1, ends[1:] - 1, strict=True):
        if last - first >= 2:
            low, high = float(values[order[first]]), float(values[order[last]])
            inside = has & (values >= low) & (values <= high)
            out.append(_Cut(name, Condition(low=low, high=high), inside, unit(high) - unit(low), len(order), False))
    return out


def _chance(n: int, f: int, k: int) -> float:
    """C(f, k) / C(n, k)."""
    return float(np.exp(gammaln(f + 1) - gammaln(f - k + 1) - gammaln(n + 1) + gammaln(n - k + 1)))


def _region(cuts: tuple[_Cut, ...], mask: Mask, known: Sequence[Trial], crashed: Mask, space: Space) -> Region:
    k, n, f = int(mask.sum()), len(known), int(crashed.sum())
    conditions: dict[str, Condition] = {}
    for cut in cuts:
        others = [cut_.inside for cut_ in cuts if cut_ is not cut]
        rivals = ~crashed if not others else ~crashed & np.logical_and.reduce(others)
        conditions[cut.name] = _widened(cut, mask, rivals, known, space)
    return Region(
        conditions=conditions,
        reason=f"all {k} trials here crashed; elsewhere {f - k} of {n - k} did",
        evidence=tuple(t.id for t, inside in zip(known, mask, strict=True) if inside),
    )


def _widened(cut: _Cut, mask: Mask, rivals: Mask, known: Sequence[Trial], space: Space) -> Condition:
    """The cut's condition with its bounds moved out to where the true edge is expected."""
    parameter, old = space[cut.name], cut.condition
    if isinstance(parameter, Choice):
        return old

    def places(chosen: Mask) -> Array:
        told = [t.config[cut.name] for t, c in zip(known, chosen, strict=True) if c and cut.name in t.config]
        return np.array([parameter.to_unit(value) for value in told])

    inside, outside = places(mask), places(rivals)
    first, last = float(inside.min()), float(inside.max())
    if old.low is None or old.high is None:
        step = (1 - first if old.high is None else last) / len(inside)
    else:
        step = (last - first) / (len(inside) - 1)
    two_sided = old.low is not None and old.high is not None
    low = high = None
    if old.low is not None:
        gap = first - float(outside[outside < first].max(initial=0.0))
        low = min(old.low, parameter.from_unit(first - _reach(step, gap, two_sided)))
    if old.high is not None:
        gap = float(outside[outside > last].min(initial=1.0)) - last
        high = max(old.high, parameter.from_unit(last + _reach(step, gap, two_sided)))
    return Condition(low=low, high=high)


def _reach(step: float, gap: float, two_sided: bool) -> float:
    """How far out a bound moves: inside an interval crashes crowd at the edge the search came from, so that its other
    edge is expected no nearer than half-way to the next success."""
    return min(max(step, gap / 2) if two_sided else step, REACH * gap)
