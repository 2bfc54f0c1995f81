"""Roles that cost nothing, so that what is left is the cost of the others, or of the framework alone."""

from __future__ import annotations

import math

from agents.registry import director, executor, historian, proposer, supervisor, voter
from core.ids import content_id
from core.records import Direction, Outcome, Proposal, Ruling, Vote


def accuracy(config: dict[str, object]) -> float:
    """A smooth objective over the benchmark's space, in 0 … 1."""
    rate, decay = float(str(config["rate"])), float(str(config["decay"]))
    width = int(str(config["width"]))
    bump = math.exp(-((math.log10(rate) + 2.5) ** 2) - (math.log10(decay) + 4) ** 2 / 4 - (width - 40) ** 2 / 900)
    return 0.6 + 0.3 * bump + (0.05 if config["kind"] == "b" else 0.0)


@executor("instant")
def instant():
    """The objective computed here and now instead of by a job."""

    async def execute(proposal, kit):
        job_id = content_id("j", kit.campaign_id, proposal.config, 0)
        metrics = {"accuracy": accuracy(proposal.config)}
        return Outcome(
            job_id=job_id, proposal_id=proposal.id, status="ok", config=proposal.config, seed=0, metrics=metrics
        )

    return execute


@director("still")
def still():
    async def direct(case, kit):
        return Direction(cycle=case.cycle, mode="explore", jobs=3, reason="always the same")

    return direct


@proposer("dice")
def dice(n: int = 1):
    async def propose(case, kit) -> list[Proposal]:
        # made without `case.propose`, which has the world model predict
        return [
            Proposal.make(
                campaign_id=case.campaign_id,
                cycle=case.cycle,
                proposer="dice",
                config=case.space.sample(kit.rng),
                rationale="a throw of the dice",
            )
            for _ in range(n)
        ]

    return propose


@voter("nod")
def nod():
    async def vote(proposal, case, kit):
        return Vote(proposal_id=proposal.id, voter="nod", score=0.5, reason="why not")

    return vote


@supervisor("wave")
def wave():
    async def rule(proposal, case, kit):
        return Ruling(proposal_id=proposal.id, decision="accept", risk=0, rule="none", reason="let it pass")

    return rule


@historian("mute")
def mute():
    async def learn(outcomes, case, kit):
        return []

    return learn


@executor("instant_judge", kinds=("code",))
def instant_judge():
    """A score made up from the patch, one candidate in four refused, instead of tests and a benchmark."""

    async def execute(proposal, kit):
        drawn = int(content_id("x", proposal.config)[2:8], 16) / 16**6
        job_id = content_id("j", kit.campaign_id, proposal.config, 0)
        told = {"job_id": job_id, "proposal_id": proposal.id, "config": proposal.config, "seed": 0}
        if drawn < 0.25:
            return Outcome(status="failed", cause="tests", reason="1 of 9 tests failed", **told)
        return Outcome(status="ok", metrics={"speedup": 1 + 0.2 * len(proposal.parts) * drawn}, **told)

    return execute
