"""Small real roles, copied beside a campaign and named there as `roles.py:<name>`."""

from __future__ import annotations

from agents.roles import Director, Historian, Proposer, Supervisor, Voter
from core.records import Direction, Proposal, Ruling, Vote


def many_jobs(jobs: int = 10) -> Director:
    async def direct(case, kit):
        return Direction(cycle=case.cycle, mode="explore", jobs=jobs, reason="as many as there are")

    return direct


def fixed(points: list | None = None, once: bool = False) -> Proposer:
    """The same points every cycle (a little to the right each time), or in the first cycle only."""

    async def propose(case, kit):
        shift = 0.0 if once else (case.cycle - 1) / 100
        told = [] if once and case.cycle > 1 else points or []
        return [case.propose("fixed", {"x": x + shift, "y": y, "kind": "a"}, "as told") for x, y in told]

    return propose


def raising_proposer() -> Proposer:
    async def propose(case, kit):
        raise RuntimeError("no idea")

    return propose


def mute_proposer() -> Proposer:
    async def propose(case, kit):
        return None

    return propose


def outside() -> Proposer:
    """Proposes what is not in the space."""

    async def propose(case, kit):
        return [
            Proposal.make(
                campaign_id=case.campaign_id, cycle=case.cycle, proposer="outside", config={"z": 1}, rationale="far out"
            )
        ]

    return propose


def approve(score: float = 0.5) -> Voter:
    async def vote(proposal, case, kit):
        return Vote(proposal_id=proposal.id, voter="approve", score=score, reason="fine")

    return vote


def veto_right(above: float = 0.5) -> Voter:
    """Vetoes every x above `above`."""

    async def vote(proposal, case, kit):
        score = -1.0 if proposal.config["x"] > above else 1.0
        return Vote(proposal_id=proposal.id, voter="veto_right", score=score, reason="by the side it lies on")

    return vote


def raising_voter() -> Voter:
    async def vote(proposal, case, kit):
        raise RuntimeError("cannot judge")

    return vote


def mute_voter() -> Voter:
    async def vote(proposal, case, kit):
        return None

    return vote


def confused_voter() -> Voter:
    """Names another proposal and another voter."""

    async def vote(proposal, case, kit):
        return Vote(proposal_id="p-00000000", voter="approve", score=1, reason="confused")

    return vote


def raising_supervisor() -> Supervisor:
    async def rule(proposal, case, kit):
        raise RuntimeError("out of office")

    return rule


def mute_supervisor() -> Supervisor:
    async def rule(proposal, case, kit):
        return None

    return rule


def refusing() -> Supervisor:
    async def rule(proposal, case, kit):
        return Ruling(proposal_id=proposal.id, decision="reject", risk=0.0, rule="never", reason="nothing is accepted")

    return rule


def credulous() -> Supervisor:
    async def rule(proposal, case, kit):
        return Ruling(proposal_id=proposal.id, decision="accept", risk=0.0, rule="all", reason="why not")

    return rule


def careful(medium: float = 0.4, high: float = 0.8, asks: bool = False) -> Supervisor:
    """Accepts with a risk by the side it lies on: x below 0.5 is of low risk; or asks a person about each."""

    async def rule(proposal, case, kit):
        risk = 0.1 if proposal.config["x"] < 0.5 else medium if proposal.config["x"] < 0.7 else high
        decision = "ask" if asks else "accept"
        return Ruling(proposal_id=proposal.id, decision=decision, risk=risk, rule="by side", reason="as it lies")

    return rule


def moving(to: float = 0.25) -> Supervisor:
    """Amends every proposal to x = `to`, as a proposal of its own with its own id."""

    async def rule(proposal, case, kit):
        amended = case.propose(proposal.proposer, {**proposal.config, "x": to}, "moved")
        return Ruling(
            proposal_id=proposal.id, decision="amend", risk=0.0, rule="moving", reason="moved", amended=amended
        )

    return rule


def silent_historian() -> Historian:
    async def learn(experiments, case, kit):
        return []

    return learn
