"""What every event has."""

from __future__ import annotations

from operator import attrgetter
from typing import ClassVar

from core.records import Record

__all__ = ["Event"]


class Event(Record):
    """What happened, in which campaign and cycle.  `seq` and `at` (UTC seconds) are given when it is stored."""

    kept: ClassVar[bool] = True
    about: ClassVar[tuple[str, ...]] = ()
    """Its fields, as paths, that tell it from others of its type in the same cycle."""

    campaign_id: str
    cycle: int = 0
    seq: int = 0
    at: float = 0.0

    @property
    def subject(self) -> str:
        """The values of `about`."""
        return ":".join(str(attrgetter(path)(self)) for path in self.about)

    @property
    def key(self) -> str:
        return f"{self.type}:{self.cycle}:{self.subject}"  # type: ignore[attr-defined]  # every subclass has a type
