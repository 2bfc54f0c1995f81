"""Cases of a campaign on code to try a role on: a small package that can be made faster, and some judged candidates."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agents.code.bundles import applied, part_of, sites_of
from agents.code.population import BASE, Population
from agents.roles import Case
from agents.testing.cases import example_case
from core.campaign import Campaign
from core.errors import NotFoundError
from core.records import PATCH, Baseline, Experiment, Outcome, Proposal
from search.space import Space

__all__ = ["FILES", "MemoryPatches", "example_candidate", "example_code_campaign", "example_code_case", "judged"]

FILES = {
    "shop/stock.py": '''\
"""Stock of a shop."""

import re


def unique(names: list[str]) -> list[str]:
    """The names, each once."""
    seen = []
    result = []
    for name in names:
        if name not in seen:
            seen.append(name)
            result.append(name)
    return result


def words(lines: list[str]) -> list[str]:
    """All words in lower case."""
    found = []
    for line in lines:
        for word in re.findall("[a-z]+", line.lower()):
            found.append(word)
    return found
''',
    "shop/totals.py": '''\
"""Totals of a shop."""


def total(prices: list[float]) -> float:
    """The sum of the prices."""
    result = 0.0
    for price in prices:
        result += price
    return result


def report(prices: list[float]) -> str:
    """A line a price."""
    text = ""
    for price in prices:
        text += f"{price:.2f}\\n"
    return text
''',
}
"""Before anything was changed; each file has places that transformations know."""


class MemoryPatches:
    """Patches by the hash of their content, in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def put(self, content: str) -> str:
        reference = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
        self._kept[reference] = content
        return reference

    def text(self, reference: str) -> str:
        if reference not in self._kept:
            raise NotFoundError(f"there is no artifact {reference}")
        return self._kept[reference]


def example_code_campaign(**changes: Any) -> Campaign:
    """A campaign over `FILES`; nothing of it is ever run by the contract suites."""
    code = {
        "files": ["shop/*.py"],
        "tests": ["{python}", "-m", "pytest"],
        "benchmark": ["{python}", "benchmark/bench.py"],
    }
    return Campaign.model_validate({"name": "example-code", "kind": "code", "code": code, **changes})


def example_code_case(*scores: float | None, seed: int = 0, **changes: Any) -> Case:
    """A case after as many judged candidates as there are scores (None: its tests failed), one transformation each."""
    campaign = example_code_campaign()
    assert campaign.code is not None
    population = Population(FILES, campaign.code, MemoryPatches())
    population.tell_profile(BASE, {"shop/stock.py:unique": 0.7, "shop/totals.py:report": 0.2})
    sites = [site for path, text in FILES.items() for site in sites_of(path, text)]
    history = []
    for number, score in enumerate(scores):
        files, done = applied(FILES, [sites[(number + seed) % len(sites)]])
        history.append(judged(population, files, score, parts=tuple(map(part_of, done)), number=number))
    baseline = Baseline(
        config={PATCH: ""}, seeds=(0, 1), scores=(1.0, 1.01), metrics={"speedup": 1.0}, jobs=("j-base", "j-base2")
    )
    population.catch_up(tuple(history), baseline.mean, baseline.noise_sd)
    scored = [e for e in history if e.score is not None]
    case = example_case(0)
    return replace(
        case,
        campaign_id="example-code-1",
        campaign=campaign,
        space=Space.model_validate(campaign.space),
        history=tuple(history),
        baseline=baseline,
        best=max(scored, key=lambda e: e.score or 0.0, default=None),
        population=population,
        **changes,
    )


def example_candidate(case: Case, text: str = "total = sum\n") -> Proposal:
    """A candidate of nobody in particular: a file that is not there yet."""
    assert case.population is not None
    files = {**case.population.base, "shop/extra.py": text}
    made = case.propose_code("example", files, "an example", operator="example", parents=(BASE,))
    assert made is not None
    return made


def judged(
    population: Population,
    files: Mapping[str, str],
    score: float | None,
    *,
    parts: Sequence[str] = (),
    parents: Sequence[str] = (BASE,),
    operator: str = "refinement",
    number: int = 0,
    proposer: str = "example",
    cause: str = "tests",
) -> Experiment:
    """A candidate with these files after its judgement; the population is not told of it."""
    config = {PATCH: population.keep(files)}
    proposal = Proposal.make(
        campaign_id="example-code-1",
        cycle=0,
        proposer=proposer,
        kind="code",
        config=config,
        rationale=f"candidate {number}",
        operator=operator,
        parts=tuple(parts),
        parents=tuple(parents),
    )
    outcome = Outcome(
        job_id=f"j-{number}",
        proposal_id=proposal.id,
        status="failed" if score is None else "ok",
        cause=cause if score is None else "",
        reason="2 of 9 tests failed" if score is None else "",
        config=config,
        seed=0,
        metrics={} if score is None else {"speedup": score},
    )
    return Experiment(proposal=proposal, outcome=outcome, score=score)
