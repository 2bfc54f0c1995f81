"""The path of the work in hand: what it does, notes here, and the agent that runs it logs it.

    from ratchet import note_step, note_tool

    async def generate(spec):
        note_step("read the specification")
        note_tool("ruff")

Outside of logged work these do nothing, so code may note freely.  A thread or task that the work starts notes into the
same path.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from core.production import MAX_ENTRIES

__all__ = ["ExecutionPath", "note_source", "note_step", "note_tool", "recording"]

MAX_CHARS = 1_000


@dataclass
class ExecutionPath:
    """Steps, tools and sources in the order in which they were noted; at most MAX_ENTRIES of each."""

    steps: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)


_current: ContextVar[ExecutionPath | None] = ContextVar("path of production work", default=None)


def note_step(text: str) -> None:
    """The work did this."""
    if (path := _current.get()) is not None:
        _note(path.steps, text)


def note_tool(name: str) -> None:
    """The work used this tool."""
    if (path := _current.get()) is not None:
        _note(path.tools, name)


def note_source(outcome_id: str) -> None:
    """The work made use of the plan or code of that outcome."""
    if (path := _current.get()) is not None and outcome_id not in path.sources:
        _note(path.sources, outcome_id)


@contextmanager
def recording() -> Iterator[ExecutionPath]:
    """A new path for the work inside."""
    path = ExecutionPath()
    token = _current.set(path)
    try:
        yield path
    finally:
        _current.reset(token)


def _note(entries: list[str], text: str) -> None:
    if len(entries) < MAX_ENTRIES:
        entries.append(str(text)[:MAX_CHARS])
