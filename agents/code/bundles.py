"""Transformations of code as parts of a candidate: found, chosen, and applied one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from agents.code.population import Population
from agents.code.transformations.registry import apply_site, find_sites
from agents.code.transformations.rules import Site
from core.errors import RatchetError

__all__ = ["applied", "choose", "offered", "part_of", "reapplied"]

COLD = 0.03
"""What counts for a function in which no time was seen: the profile is of one workload only."""
UNKNOWN_HEAT = 0.2
ASSUMED = 0.7
"""The worth of a transformation that rests on an assumption, beside one that is proven to change nothing else."""


def part_of(site: Site) -> str:
    """The name of a site as a part: transformation, file and function for people, and the id that tells it apart."""
    return f"{site.transformation}@{site.path}:{site.qualname}#{site.id}"


def offered(population: Population, candidate: str, files: Mapping[str, str]) -> list[Site]:
    """The sites in a candidate's files that are worth trying: not there yet, and not known to fail or to be useless."""
    out = {*population.parts_of(candidate), *population.guilty, *population.useless}
    changeable = (item for item in files.items() if population.allowed(item[0]))
    return [site for path, text in changeable for site in sites_of(path, text) if part_of(site) not in out]


@lru_cache(maxsize=512)
def sites_of(path: str, text: str) -> tuple[Site, ...]:
    """The sites of one file: most files of a candidate are those of its parent, and are not looked through again."""
    return find_sites({path: text})


def choose(
    sites: Sequence[Site],
    population: Population,
    candidate: str,
    size: int,
    rng: np.random.Generator,
    weigh: Callable[[str, str, str], float] | None = None,
) -> list[Site]:
    """`size` of the sites, drawn without replacement in proportion to

        success of the transformation so far × share of the time that its function takes × (0.7 where it assumes
        something) × `weigh` of transformation, path and function, where it is given (0: never)

    by the Gumbel-max trick, in the order of their places.
    """
    wished = [1.0 if weigh is None else weigh(site.transformation, site.path, site.qualname) for site in sites]
    sites = [site for site, factor in zip(sites, wished, strict=True) if factor > 0]
    if not sites:
        return []
    rates = population.transformations.rates()
    weights = []
    for site, factor in zip(sites, (factor for factor in wished if factor > 0), strict=True):
        heat = population.heat(candidate, site.path, site.qualname)
        worth = rates[site.transformation].success * (UNKNOWN_HEAT if heat is None else COLD + heat)
        weights.append(factor * worth * (1.0 if site.confidence == "exact" else ASSUMED))
    keys = np.log(weights) + rng.gumbel(size=len(sites))
    chosen = sorted(np.argsort(-keys)[:size])
    return [sites[int(i)] for i in chosen]


def applied(files: Mapping[str, str], sites: Iterable[Site]) -> tuple[dict[str, str], list[Site]]:
    """The files with the sites changed, and those of them that could be: one may take away another's place."""
    told, done = dict(files), list[Site]()
    for site in sites:
        changed = _changed(told[site.path], site) if site.path in told else None
        if changed is not None:
            told[site.path] = changed
            done.append(site)
    return told, done


@lru_cache(maxsize=1024)
def _changed(text: str, site: Site) -> str | None:
    """The text with the site changed, None where it is not there any more; the same few are asked for over and over."""
    try:
        return apply_site({site.path: text}, site)[site.path]
    except RatchetError:
        return None


def reapplied(files: Mapping[str, str], parts: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """The files with those of the parts that are found there again, and which those are."""
    told, done = dict(files), list[str]()
    for part in parts:
        path = part.partition("@")[2].partition(":")[0]
        if path not in told:
            continue
        for site in sites_of(path, told[path]):
            if part_of(site) == part:
                told, found = applied(told, [site])
                done += [part] * len(found)
                break
    return told, done
