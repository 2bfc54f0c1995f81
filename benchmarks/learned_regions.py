"""How much of a hidden crash region the learned constraints cover after 40 trials, and how much good space they cost.

    python benchmarks/learned_regions.py [--seeds 20] [--trials 40] [--shapes half-line,pair] [--random]

The council chooses the trials (its proposers, voters, supervisor and historian over an in-process objective whose best
value lies near the region); `--random` draws them instead.  Coverage and loss are shares of 4,096 quasi-random points.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from agents import registry
from agents.historians import bookkeeping
from agents.roles import Case, Kit
from agents.tally import tally_votes, voter_weights
from core.campaign import Campaign
from core.records import Baseline, Direction, Experiment, Lesson, Outcome, TrackRecord
from graph.context import role_seed
from graph.council import seat_council
from search.constraints import Region, violations
from search.region_learning import learn_regions
from search.space import Space

SPACE: dict[str, dict[str, Any]] = {
    "kind": {"type": "choice", "options": ["a", "b", "c", "d"]},
    "rate": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
    "drop": {"type": "float", "low": 0.0, "high": 1.0},
    "width": {"type": "int", "low": 8, "high": 512, "log": True},
}
Unit = dict[str, Any]
SHAPES: dict[str, Callable[[Unit], bool]] = {
    "half-line": lambda u: u["rate"] > 0.8,
    "interval": lambda u: 0.35 < u["drop"] < 0.6,
    "option": lambda u: u["kind"] == "c",
    "pair": lambda u: u["rate"] > 0.6 and u["drop"] < 0.4,
    "option and half-line": lambda u: u["kind"] in ("b",) and u["rate"] > 0.4,
    "oblique": lambda u: u["rate"] + u["drop"] > 1.4,
}


def units(space: Space, config: dict[str, Any]) -> Unit:
    return {name: value if name == "kind" else space[name].to_unit(value) for name, value in config.items()}


PEAKS: dict[str, dict[str, Any]] = {
    "half-line": {"rate": 0.85, "drop": 0.4, "kind": "a"},
    "interval": {"rate": 0.5, "drop": 0.45, "kind": "a"},
    "option": {"rate": 0.6, "drop": 0.4, "kind": "c"},
    "pair": {"rate": 0.7, "drop": 0.3, "kind": "a"},
    "option and half-line": {"rate": 0.55, "drop": 0.5, "kind": "b"},
    "oblique": {"rate": 0.75, "drop": 0.75, "kind": "a"},
}
"""Where a shape's objective would be best: inside the region, so that the search is drawn into it."""


def score(u: Unit, shape: str) -> float:
    peak = PEAKS[shape]
    off = (u["rate"] - peak["rate"]) ** 2 + (u["drop"] - peak["drop"]) ** 2 + 0.3 * (u["width"] - 0.5) ** 2
    return float(1 - off + 0.1 * (u["kind"] == peak["kind"]))


async def council(shape: str, seed: int, trials: int) -> Case:
    """The case after at least `trials` trials of the council."""
    crashes = SHAPES[shape]
    base = {"kind": "a", "rate": 1e-3, "drop": 0.1, "width": 32}
    campaign = Campaign.model_validate(
        {"name": "hidden", "command": ["true"], "objective": {"metric": "score"}, "space": SPACE, "baseline": base,
         "seed": seed, "budget": {"cycles": trials, "jobs": trials}}
    )  # fmt: skip
    seats, space = seat_council(campaign), Space.model_validate(SPACE)
    start = score(units(space, base), shape)
    baseline = Baseline(config=base, seeds=(0,), scores=(start,), metrics={})
    history: list[Experiment] = []
    lessons: list[Lesson] = []
    directions: list[Direction] = []
    records: dict[str, TrackRecord] = {}
    cycle = 0
    while len(history) < trials:
        cycle += 1
        best = max((e for e in history if e.score is not None), key=lambda e: e.score or 0, default=None)
        gone = {lesson.withdraws for lesson in lessons}
        standing = tuple(x for x in lessons if x.id not in gone and x.withdraws is None)
        case = Case(
            campaign_id="hidden-1", campaign=campaign, space=space, cycle=cycle, history=tuple(history),
            baseline=baseline, best=best, lessons=standing, directions=tuple(directions), records=records,
        )  # fmt: skip

        def kit(role: str, name: str, cycle: int = cycle) -> Kit:
            return Kit(rng=np.random.default_rng(role_seed(seed, cycle, role, name)), campaign=campaign)

        case = replace(case, direction=await seats.director(case, kit("director", "")))
        assert case.direction is not None
        directions.append(case.direction)
        made = [p for name, role in seats.proposers.items() for p in await role(case, kit("proposer", name))]
        agenda = list({space.key(p.config): p for p in reversed(made)}.values())
        votes = [
            (await role(p, case, kit("voter", name))).model_copy(update={"voter": name})
            for name, role in seats.voters.items() for p in agenda
        ]  # fmt: skip
        tallies = tally_votes([p.id for p in agenda], votes, voter_weights(seats.weights, records))
        case = replace(case, proposals=tuple(agenda), votes=tuple(votes), tallies=tuple(tallies))
        by_id, rulings = {p.id: p for p in agenda}, []
        for tally in tallies:
            ruling = await seats.supervisor(
                by_id[tally.proposal_id], replace(case, rulings=tuple(rulings)), kit("s", "")
            )
            rulings.append(ruling)
        fresh = []
        for ruling in rulings:
            if ruling.decision not in ("accept", "amend"):
                continue
            proposal = ruling.amended or by_id[ruling.proposal_id]
            u = units(space, proposal.config)
            crashed = crashes(u)
            outcome = Outcome(
                job_id=proposal.id, proposal_id=proposal.id, status="failed" if crashed else "ok", seed=seed,
                config=proposal.config,
            )  # fmt: skip
            fresh.append(Experiment(proposal=proposal, outcome=outcome, score=None if crashed else score(u, shape)))
        lessons += await seats.historian(fresh, case, kit("historian", ""))
        records |= {r.name: r for r in bookkeeping.credit(fresh, case, {}) if r.role == "voter"}
        history += fresh
    gone = {lesson.withdraws for lesson in lessons}
    standing = tuple(x for x in lessons if x.id not in gone and x.withdraws is None)
    return replace(case, history=tuple(history), lessons=standing)


def drawn(shape: str, seed: int, trials: int) -> Case:
    """The same from uniform draws."""
    from search.trials import Trial

    space, rng = Space.model_validate(SPACE), np.random.default_rng(seed)
    told = []
    for i in range(trials):
        config = space.sample(rng)
        u = units(space, config)
        told.append(Trial(str(i), config, None if SHAPES[shape](u) else score(u, shape)))
    regions = learn_regions(told, space)
    lessons = tuple(
        Lesson(id=str(i), kind="constraint", text="", cycle=0, region=r.model_dump()) for i, r in enumerate(regions)
    )
    campaign = Campaign.model_validate(
        {"name": "hidden", "command": ["true"], "objective": {"metric": "score"}, "space": SPACE, "baseline": {}}
    )
    history = tuple(
        Experiment.model_construct(outcome=Outcome(
            job_id=t.id, proposal_id=t.id, status="failed" if t.crashed else "ok", config=dict(t.config), seed=0
        )) for t in told
    )  # fmt: skip
    return Case(campaign_id="", campaign=campaign, space=space, cycle=1, history=history, lessons=lessons)


@cache
def points(_: Any) -> list[dict[str, Any]]:
    space = Space.model_validate(SPACE)
    return space.sobol(4096, seed=99)


def judge(shape: str, case: Case) -> tuple[float, float, int]:
    """Coverage of the hidden region, share of the good space lost, crashes met."""
    regions = [Region.model_validate(lesson.region) for lesson in case.lessons if lesson.region is not None]
    inside, outside = [], []
    for config in points(None):
        hit = bool(violations(config, regions))
        (inside if SHAPES[shape](units(case.space, config)) else outside).append(hit)
    crashes = sum(e.outcome.status == "failed" for e in case.history)
    return float(np.mean(inside)), float(np.mean(outside)), crashes


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=20)
    arguments.add_argument("--trials", type=int, default=40)
    arguments.add_argument("--shapes", default=",".join(SHAPES))
    arguments.add_argument("--random", action="store_true")
    arguments.add_argument("--keep", type=Path, help="a folder for the trials")
    args = arguments.parse_args()
    registry.known("proposer")
    print(
        f"{'shape':22} covered: median (quartiles)   good lost: median (worst)   crashes of {args.trials}", flush=True
    )
    for shape in args.shapes.split(","):
        told = []
        for seed in range(args.seeds):
            case = drawn(shape, seed, args.trials) if args.random else asyncio.run(council(shape, seed, args.trials))
            told.append(judge(shape, case))
            if args.keep:
                trials = [(e.config, e.score, e.outcome.ok) for e in case.history]
                args.keep.mkdir(exist_ok=True)
                (args.keep / f"{shape}-{seed}.json").write_text(json.dumps(trials))
        covered, lost, crashes = (list(column) for column in zip(*told, strict=True))
        low, middle, high = np.quantile(covered, [0.25, 0.5, 0.75])
        print(
            f"{shape:22} {middle:6.1%} ({low:.0%} … {high:.0%}){'':8} {statistics.median(lost):6.1%} ({max(lost):.1%})"
            f"{'':8} {statistics.median(crashes):g}",
            flush=True,
        )


if __name__ == "__main__":
    main()
