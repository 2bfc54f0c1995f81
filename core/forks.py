"""Places in the past of a campaign: after a whole cycle, or before a node of one."""

from __future__ import annotations

import re
from typing import Literal, get_args

from pydantic import Field

from core.errors import UsageError, nearest
from core.record import Record

__all__ = ["STAGES", "ForkPoint", "Stage"]

Stage = Literal[
    "director", "proposer", "agenda", "sharpen", "voter", "tally", "supervisor", "approval", "executor", "historian"
]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""The nodes of a cycle, in their order."""


class ForkPoint(Record):
    """After the cycle (0: after the baseline); with a stage, in the cycle, with that node coming next."""

    cycle: int = Field(ge=0)
    stage: Stage | None = None

    def __str__(self) -> str:
        return f"{self.cycle}/{self.stage}" if self.stage else str(self.cycle)

    @classmethod
    def parse(cls, text: str) -> ForkPoint:
        """`3`, or `3/voter`.  Raises UsageError."""
        found = re.fullmatch(r"(\d{1,9})(?:/(\w+))?", text.strip())
        if found is None:
            raise UsageError(
                f"{text!r} is no point of a campaign",
                where="point",
                hint="a cycle such as 3, a node such as 3/voter, or the id of a checkpoint",
            )
        cycle, stage = int(found[1]), found[2]
        if stage is not None and (stage not in STAGES or cycle == 0):
            hint = nearest(stage, STAGES) if stage not in STAGES else "cycle 0 is the baseline: it has no nodes"
            raise UsageError(f"cycle {cycle} has no node {stage!r}", where="point", hint=hint)
        return cls(cycle=cycle, stage=stage)
