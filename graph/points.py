"""The points of a campaign's past that LangGraph's checkpoints and the ledger name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.errors import NotFoundError, StorageError
from core.events import BaselineMeasured, CycleFinished, CycleStarted
from core.forks import STAGES, ForkPoint
from graph.campaign import open_cycle
from memory.ledger import Ledger, StoredCampaign
from memory.state_folder import StateFolder

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

__all__ = ["Point", "find_point", "points_of"]

CHECKPOINT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Point:
    """Where a fork can begin.  `checkpoint` is LangGraph's id, empty where only the ledger knows it.

    `at` is in UTC seconds; 0 where nobody looked.
    """

    point: ForkPoint
    at: float
    checkpoint: str = ""


def points_of(folder: StateFolder, ledger: Ledger, stored: StoredCampaign) -> list[Point]:
    """Every whole cycle, and the checkpoints inside the cycles that are still kept; in order.

    A node of an older cycle is a point too: all of it stands in the ledger.
    """
    told = list(ledger.events(stored.id, types=(BaselineMeasured, CycleStarted, CycleFinished)))
    whole = [
        Point(ForkPoint(cycle=event.cycle), event.at)
        for event in told
        if isinstance(event, BaselineMeasured | CycleFinished)
    ]
    begun = sorted({event.cycle for event in told if isinstance(event, CycleStarted)})
    inside = _checkpoints(folder, stored.id, begun)
    order = {stage: place for place, stage in enumerate(STAGES)}
    return sorted(
        [*whole, *inside],
        key=lambda one: (one.point.cycle, order.get(one.point.stage, len(STAGES)) if one.point.stage else len(STAGES)),
    )


def find_point(folder: StateFolder, ledger: Ledger, stored: StoredCampaign, text: str) -> Point:
    """The point that a person names: `3`, `3/voter`, or the id of a checkpoint.

    Raises UsageError for what is no point, NotFoundError for a checkpoint that is not kept.
    """
    if not CHECKPOINT.fullmatch(text):
        return Point(ForkPoint.parse(text), 0.0)
    for one in points_of(folder, ledger, stored):
        if one.checkpoint == text:
            return one
    raise NotFoundError(
        f"{stored.id} has no checkpoint {text}",
        where="point",
        hint=f"`python run_graph.py rewind {stored.id}` lists them; of older cycles, name the node: 3/voter",
    )


def _checkpoints(folder: StateFolder, campaign_id: str, cycles: list[int]) -> list[Point]:
    """The newest checkpoint before each node; none where the file is gone or damaged."""
    if not (folder.checkpoints / f"{campaign_id}.db").exists():
        return []
    found: dict[tuple[int, str], Point] = {}
    try:
        with open_cycle(folder, campaign_id) as graph:
            for cycle in cycles:
                config: RunnableConfig = {"configurable": {"thread_id": f"{campaign_id}:{cycle}"}}
                for snapshot in graph.get_state_history(config):
                    stage = next((name for name in snapshot.next if name in STAGES), None)
                    if stage is not None and (cycle, stage) not in found:
                        found[cycle, stage] = _point(cycle, stage, snapshot)
    except StorageError:
        return []
    return list(found.values())


def _point(cycle: int, stage: Any, snapshot: Any) -> Point:
    at = datetime.fromisoformat(snapshot.created_at).timestamp() if snapshot.created_at else 0.0
    return Point(ForkPoint(cycle=cycle, stage=stage), at, snapshot.config["configurable"]["checkpoint_id"])
