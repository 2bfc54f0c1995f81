"""Which agent learned from which: marks beside the outcomes, and the graph that they make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.production import OUTCOMES, TRAINING, ProductionOutcome
from memory.item_rows import ItemRows

__all__ = ["READ", "USED", "Transfer", "Transfers", "Use"]

READ, USED = "read", "used"
"""Roots of the marks: an agent was shown an outcome or plan of another; an outcome made use of one."""


@dataclass(frozen=True)
class Transfer:
    """An edge of the graph: `learner` was shown `read` outcomes of `source`, and `used` them in as many outcomes.

    `succeeded` of the uses went well.
    """

    source: str
    learner: str
    read: int = 0
    used: int = 0
    succeeded: int = 0


@dataclass(frozen=True)
class Use:
    """An outcome made use of an earlier one, and went well or not."""

    learner: str
    source: str
    source_outcome: str
    success: bool


class Transfers:
    """The marks of one ledger.  The same reading or use told twice counts once."""

    def __init__(self, items: ItemRows) -> None:
        self._items = items

    def note_read(self, reader: str, shown: Mapping[str, str]) -> int:
        """`reader` was shown these (id of an outcome → its agent); its own are left out.  Answers how many are new."""
        others = {key: source for key, source in shown.items() if source != reader}
        return self._items.put_marks(READ, reader, others) if others else 0

    def note_uses(self, outcome: ProductionOutcome) -> int:
        """What the outcome says it learned from; ids that nobody kept are passed over."""
        if not outcome.learned_from:
            return 0
        rows = [
            row
            for root in (OUTCOMES, TRAINING)
            for row in self._items.latest(root, keys=list(dict.fromkeys(outcome.learned_from)))
        ]
        marks = {f"{outcome.id} {row.key}": row.owner for row in rows}
        if not marks:
            return 0
        return self._items.put_marks(USED, outcome.agent, marks, task_type=outcome.task_type, success=outcome.success)

    def uses(self) -> Sequence[Use]:
        """Every use, oldest first, of an agent's own outcomes too."""
        return [
            Use(learner=row.owner, source=row.body, source_outcome=row.key.split(" ", 1)[1], success=bool(row.success))
            for row in reversed(self._items.latest(USED))
        ]

    def graph(self) -> tuple[Transfer, ...]:
        """The edges from agent to agent, the most used first; what an agent learned from itself is none."""
        edges: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for (learner, source, _), count in self._items.counts(READ).items():
            edges[source, learner]["read"] += count
        for (learner, source, success), count in self._items.counts(USED).items():
            edges[source, learner]["used"] += count
            edges[source, learner]["succeeded"] += count if success else 0
        told = [Transfer(source, learner, **counts) for (source, learner), counts in edges.items() if source != learner]
        return tuple(sorted(told, key=lambda edge: (-edge.used, -edge.read, edge.source, edge.learner)))
