"""Cases to try a role on: a small mixed space with a smooth objective and a region that fails."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.roles import Case, Kit, RecallView
from core.campaign import Campaign
from core.models import Model
from core.records import Baseline, Config, Direction, Experiment, Memory, Mode, Outcome, Proposal, Tally, Vote
from search.space import Space

__all__ = ["ExampleRecall", "example_campaign", "example_case", "example_kit", "example_space", "objective"]

SPACE: dict[str, dict[str, Any]] = {
    "model": {"type": "choice", "options": ["linear", "tree"]},
    "learning_rate": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
    "depth": {"type": "int", "low": 1, "high": 12, "when": {"model": ["tree"]}},
}
BASELINE: Config = {"model": "linear", "learning_rate": 0.3}


def example_space() -> Space:
    """A choice, a log float and a conditional int."""
    return Space.model_validate(SPACE)


def example_campaign(**changes: Any) -> Campaign:
    """A campaign over `example_space`; its command is never run by the contract suites."""
    fields: dict[str, Any] = {
        "name": "example",
        "command": ["{python}", "-c", "pass"],
        "objective": {"metric": "accuracy"},
        "space": SPACE,
        "baseline": BASELINE,
    }
    return Campaign.model_validate({**fields, **changes})


def objective(config: Config) -> float | None:
    """Accuracy of a configuration; None (a crash) above a learning rate of 0.5."""
    rate = config["learning_rate"]
    if rate > 0.5:
        return None
    depth = 1 - abs(config["depth"] - 6) / 12 if config["model"] == "tree" else 0.6
    return 0.5 + 0.3 * math.exp(-((math.log10(rate) + 2) ** 2)) + 0.2 * depth


def example_case(trials: int = 0, *, cycle: int = 1, mode: Mode = "explore", seed: int = 0, **changes: Any) -> Case:
    """A case after `trials` finished trials at random configurations."""
    space, campaign = example_space(), example_campaign()
    rng = np.random.default_rng(seed)
    history = tuple(_experiment(space.sample(rng), number) for number in range(trials))
    scored = [e for e in history if e.score is not None]
    start = objective(BASELINE) or 0.0
    fields: dict[str, Any] = {
        "campaign_id": "example-1",
        "campaign": campaign,
        "space": space,
        "cycle": cycle,
        "history": history,
        "baseline": Baseline(config=BASELINE, seeds=(0, 1), scores=(start, start + 0.01), metrics={"accuracy": start}),
        "best": max(scored, key=lambda e: e.score or 0.0, default=None),
        "direction": Direction(cycle=cycle, mode=mode, jobs=3, reason="an example"),
    }
    return Case(**{**fields, **changes})


def example_proposal(case: Case, seed: int = 1) -> Proposal:
    """A proposal of nobody in particular, at a random configuration that is not in the history."""
    rng = np.random.default_rng(seed)
    return case.propose("example", case.space.sample(rng), "an example")


def on_the_table(case: Case, proposals: Sequence[Proposal]) -> Case:
    """The case as a supervisor sees it: each proposal approved by one voter, in order."""
    from dataclasses import replace

    votes = tuple(Vote(proposal_id=p.id, voter="example", score=0.5, reason="an example") for p in proposals)
    tallies = tuple(Tally(proposal_id=p.id, score=0.5, weights={"example": 1.0}) for p in proposals)
    return replace(case, proposals=tuple(proposals), votes=votes, tallies=tallies)


class ExampleRecall:
    """A recall that knows the memories it is given and finds all of them alike."""

    def __init__(self, *memories: Memory) -> None:
        self.memories = memories

    def search(
        self, text: str, k: int = 5, *, collection: str | None = None, campaign_id: str | None = None
    ) -> list[Memory]:
        return [m for m in self.memories if campaign_id in (None, m.campaign_id)][:k]


def example_kit(seed: int = 0, recall: RecallView | None = None, model: Model | None = None) -> Kit:
    """A kit with randomness of its own and, if given, a recall and a language model; no jobs, no ledger."""
    rng = np.random.default_rng(seed)
    return Kit(rng=rng, recall=recall, model=model, campaign=example_campaign(), campaign_id="example-1")


def _experiment(config: Config, number: int) -> Experiment:
    proposal = Proposal.make(
        campaign_id="example-1", cycle=0, proposer="example", config=config, rationale=f"trial {number}"
    )
    score = objective(config)
    outcome = Outcome(
        job_id=f"j-{number}",
        proposal_id=proposal.id,
        status="failed" if score is None else "ok",
        cause="crashed" if score is None else "",
        config=config,
        seed=0,
        metrics={} if score is None else {"accuracy": score},
    )
    return Experiment(proposal=proposal, outcome=outcome, score=score)
