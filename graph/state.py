"""The state of one cycle: short records only, one writer a key.

    key          written by        joined by
    cycle        the caller        –
    direction    director          –
    proposals    proposer (n)      appended, in the order of the council
    agenda       agenda            – (sharpen puts better drafts in their places)
    votes        voter (n)         appended, in the order of the council
    tallies      tally             –
    rulings      supervisor        – (approval puts what a person decided in their places)
    experiments  executor          –
    lessons      historian         –

Big things (logs, metrics lines) stay in the job's folder; the history stays in the ledger.
"""

from __future__ import annotations

from operator import add
from typing import Annotated

from typing_extensions import TypedDict  # pydantic wants it for the schema that Studio asks for

from core.records import Direction, Experiment, Lesson, Proposal, Ruling, Tally, Vote

__all__ = ["Chair", "CycleState"]


class CycleState(TypedDict, total=False):
    cycle: int
    direction: Direction
    proposals: Annotated[list[Proposal], add]
    agenda: list[Proposal]
    votes: Annotated[list[Vote], add]
    tallies: list[Tally]
    rulings: list[Ruling]
    experiments: list[Experiment]
    lessons: list[Lesson]


class Chair(TypedDict):
    """What one branch of a fan-out is sent: which seat of the council it is, and what lies before it."""

    cycle: int
    seat: str
    direction: Direction
    agenda: list[Proposal]
