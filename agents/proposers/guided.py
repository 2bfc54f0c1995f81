"""The proposer that speaks for guidance: what a person wants tried first, and what is to be worked on alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from agents.code.bundles import applied, choose, offered, part_of
from agents.code.population import BASE
from agents.code.transformations.registry import transformations
from agents.guidance.steering import SEAT, InForce
from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.records import Config, Proposal
from search.box import Box
from search.constraints import violations
from search.parameters import Choice, Float, Int
from search.suggest import suggest

__all__ = ["guided"]

TRIES = 16
BUNDLE = 4
"""Transformations in one candidate of code."""
END_SHARE = 0.25
"""Of an end that is preferred: the share of the range that is drawn from."""


@proposer(SEAT)
def guided() -> Proposer:
    """One proposal for each preference that no trial was made for yet, and one that varies only what is focused on.

    It is seated by itself when guidance asks for something.  A preferred value is put into the best configuration so
    far (else the baseline), and what it needs beside it; where that was tried, the rest is varied.  Every proposal
    cites the guidance that it is made for.
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        return await asyncio.to_thread(lambda: list(_proposed(case, kit)))

    return propose


def _proposed(case: Case, kit: Kit) -> Iterator[Proposal]:
    steering = case.steering()
    slots = max(1, case.direction.jobs - 1) if case.direction else 1
    for wish in steering.unfulfilled(case.history)[:slots]:
        made = _candidate(wish, case, kit) if wish.meaning.target == "operator" else _preferred(wish, case, kit)
        if made is not None:
            yield made
    if case.population is None and (made := _focused(case, kit)) is not None:
        yield made


def _preferred(wish: InForce, case: Case, kit: Kit) -> Proposal | None:
    """The best configuration with the preferred value; None where all that were looked at are tried or forbidden."""
    forbidden, tried = case.forbidden(), [e.config for e in case.history]
    start = case.best.config if case.best is not None else case.campaign.baseline
    for number in range(TRIES):
        base = start if number == 0 else case.space.neighbour(case.space.completed(_known(start, case)), kit.rng, 0.2)
        config = _with(base, wish, case, kit)
        if config is not None and config not in tried and not violations(config, forbidden):
            return case.propose(SEAT, config, f"asked for by {wish}", guidance=(wish.id,))
    return None


def _with(base: Config, wish: InForce, case: Case, kit: Kit) -> Config | None:
    """A configuration with what the wish is about active, and as it wants it; None where limits stand against it."""
    m, box = wish.meaning, case.steering().box
    config = {**base, m.name: _value(wish, case, kit)}
    _activate(config, m.name, case)
    whole = case.space.completed(_known(config, case))
    settled = whole if box is None else box.settle(whole)
    return settled if settled.get(m.name) == whole.get(m.name) and m.name in settled else None


def _value(wish: InForce, case: Case, kit: Kit) -> Any:
    """A value as the preference wants it, inside the limits where an end is wanted."""
    m, parameter, box = wish.meaning, case.space[wish.meaning.name], case.steering().box
    if m.options:
        return m.options[int(kit.rng.integers(len(m.options)))]
    if isinstance(parameter, Choice):
        return min(parameter.options) if m.toward == "low" else max(parameter.options)
    limits = box or Box(case.space) if m.toward else Box(case.space, {m.name: (m.low, m.high)})
    u = kit.rng.random()
    if m.toward:
        u = END_SHARE * u if m.toward == "low" else 1 - END_SHARE * u
    return limits.value(m.name, u)


def _known(config: Config, case: Case) -> Config:
    return {name: value for name, value in config.items() if name in case.space}


def _activate(config: Config, name: str, case: Case) -> None:
    """Give the parents of a parameter values beside which it exists."""
    for parent, values in case.space[name].when.items():
        if config.get(parent) not in values:
            config[parent] = values[0]
        _activate(config, parent, case)


def _focused(case: Case, kit: Kit) -> Proposal | None:
    """The best configuration with only the focused parameters searched."""
    focus = case.steering().focused("parameter")
    if not focus:
        return None
    names = {x.meaning.name for x in focus}
    start = case.best.config if case.best is not None else case.space.validate_config(case.campaign.baseline)
    config = dict(start)
    for name in names - set(config):
        _activate(config, name, case)
    config = case.space.completed(config)
    box = case.steering().box or Box(case.space)
    config = box.settle(config)
    bounds, excluded = dict(box.bounds), dict(box.excluded)
    for name, value in config.items():
        parameter = case.space[name]
        if name in names:
            continue
        if isinstance(parameter, Float | Int):
            bounds[name] = value, value
        else:
            excluded[name] = tuple(o for o in parameter.options if parameter.index(o) != parameter.index(value))
    alone = Box(case.space, bounds, excluded)
    found = suggest(
        case.space, case.trials(), 1, seed=case.campaign.seed, rng=kit.rng, regions=case.forbidden(), box=alone
    )[0]
    if found.config in [e.config for e in case.history]:
        return None
    told = ", ".join(map(str, focus))
    return case.propose(
        SEAT,
        found.config,
        f"only {', '.join(sorted(names))} varied, as asked by {told}",
        parents=(case.best.proposal.id,) if case.best is not None else (),
        guidance=tuple(dict.fromkeys(x.id for x in focus)),
    )


def _candidate(wish: InForce, case: Case, kit: Kit) -> Proposal | None:
    """The best candidate of code with places of the preferred transformation changed."""
    population = case.population
    if population is None or wish.meaning.name not in transformations():
        return None
    elites = population.elites()
    parent = elites[0].id if elites else BASE
    files = population.files(parent)
    sites = [site for site in offered(population, parent, files) if site.transformation == wish.meaning.name]
    chosen = choose(sites, population, parent, BUNDLE, kit.rng, case.steering().site_weight)
    after, done = applied(files, chosen)
    if not done:
        return None
    return case.propose_code(
        SEAT,
        after,
        f"{len(done)} × {wish.meaning.name}, asked for by {wish}",
        operator="refinement",
        parents=(parent,),
        parts=(*population.parts_of(parent), *map(part_of, done)),
        guidance=(wish.id,),
    )
