"""The library's face: what an extension or a notebook needs, imported when first used.

    from ratchet import Vote, voter

Importing this module imports nothing heavy, sets no signal handler and prints nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.asking import ask
    from agents.registry import director, executor, historian, proposer, supervisor, voter
    from agents.roles import Case, Director, Executor, Historian, Kit, Proposer, Supervisor, Voter
    from core.campaign import Campaign
    from core.records import Direction, Experiment, Lesson, Outcome, Proposal, Ruling, Vote
    from search.space import Choice, Float, Int, Space

HOMES = {
    "agents.asking": ("ask",),
    "agents.registry": ("director", "executor", "historian", "proposer", "supervisor", "voter"),
    "agents.roles": ("Case", "Director", "Executor", "Historian", "Kit", "Proposer", "Supervisor", "Voter"),
    "core.campaign": ("Campaign",),
    "core.records": ("Direction", "Experiment", "Lesson", "Outcome", "Proposal", "Ruling", "Vote"),
    "search.space": ("Choice", "Float", "Int", "Space"),
}
"""Module → the names that come from it."""

__all__ = [
    "Campaign",
    "Case",
    "Choice",
    "Direction",
    "Director",
    "Executor",
    "Experiment",
    "Float",
    "Historian",
    "Int",
    "Kit",
    "Lesson",
    "Outcome",
    "Proposal",
    "Proposer",
    "Ruling",
    "Space",
    "Supervisor",
    "Vote",
    "Voter",
    "ask",
    "director",
    "executor",
    "historian",
    "proposer",
    "supervisor",
    "voter",
]


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'ratchet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
