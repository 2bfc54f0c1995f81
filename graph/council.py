"""The council of a campaign: its roles made by name, once, when the campaign is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents import registry
from agents.guidance.steering import SEAT
from agents.roles import Director, Executor, Historian, Proposer, Supervisor, Voter
from core.campaign import Campaign, Use
from core.records import Kind

__all__ = ["Council", "named", "seat_council"]


@dataclass(frozen=True)
class Council:
    """The seats by name, in the order of the campaign; `weights` are the voters' starting weights."""

    director: Director
    proposers: dict[str, Proposer]
    voters: dict[str, Voter]
    weights: dict[str, float]
    supervisor: Supervisor
    executors: dict[Kind, Executor]
    historian: Historian
    judges: dict[str, tuple[Kind, ...]]
    """The kinds of proposals that each voter judges."""
    spokesmen: tuple[Proposer, Voter]
    """The seats that speak for guidance, taken when it asks for something."""

    def proposer(self, seat: str) -> Proposer:
        return self.spokesmen[0] if seat == SEAT and seat not in self.proposers else self.proposers[seat]

    def voter(self, seat: str) -> Voter:
        return self.spokesmen[1] if seat == SEAT and seat not in self.voters else self.voters[seat]

    def judged_by(self, seat: str) -> tuple[Kind, ...]:
        """The kinds of proposals that a voter judges."""
        return self.judges.get(seat, ("experiment", "code"))


def seat_council(campaign: Campaign) -> Council:
    """Every role of the campaign, made.  Raises ConfigError for an unknown name or a wrong parameter."""
    here = Path(campaign.here)
    uses = campaign.council
    voters = named(uses.voting)
    return Council(
        director=registry.make("director", uses.director, here),
        proposers={name: registry.make("proposer", use, here) for name, use in named(uses.proposers).items()},
        voters={name: registry.make("voter", use, here) for name, use in voters.items()},
        weights={name: use.weight for name, use in voters.items()},
        supervisor=registry.make("supervisor", uses.supervisor, here),
        executors=_executors(uses.executor, here),
        historian=registry.make("historian", uses.historian, here),
        judges={name: registry.kinds_of("voter", use, here) for name, use in voters.items()},
        spokesmen=(registry.make("proposer", Use(use=SEAT), here), registry.make("voter", Use(use=SEAT), here)),
    )


def _executors(own: Use, here: Path) -> dict[Kind, Executor]:
    """By kind of proposal: the campaign's own executor for what it is for, `annotate` for code and comments else."""
    seated: dict[Kind, Executor] = {}
    for use in (Use(use="annotate"), own):
        executor = registry.make("executor", use, here)
        seated |= dict.fromkeys(registry.kinds_of("executor", use, here), executor)
    return seated


def named(uses: Sequence[Use]) -> dict[str, Use]:
    """By seat name: the persona's or the role's own, with a number when it sits twice (`novelty`, `novelty-2`)."""
    named: dict[str, Use] = {}
    for use in uses:
        short = str(use.parameters.get("persona", "")) or use.use.rpartition(":")[2]
        count = sum(1 for name in named if name == short or name.startswith(f"{short}-"))
        named[short if not count else f"{short}-{count + 1}"] = use
    return named
