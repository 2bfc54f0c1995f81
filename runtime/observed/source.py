"""What a source of telemetry is: it is asked again and again, and answers with what is new."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from core.telemetry import Telemetry

__all__ = ["Reading", "Source"]


@dataclass(frozen=True)
class Reading:
    """New records, oldest first as far as the source knows.

    `position` says how far was read, as JSON data, to begin there again after a restart; None where the source has
    none.  `aside` counts what could not be read, by reason.  `more`: asked at once again, it has something more.
    """

    records: list[Telemetry] = field(default_factory=list)
    position: Any = None
    aside: dict[str, int] = field(default_factory=dict)
    more: bool = False


class Source(Protocol):
    """`read` never raises for a partner that is away, slow, full or wrong: it answers with a TelemetryGap.

    It may block for as long as its partner is given time, so it is called in a thread.
    """

    @property
    def name(self) -> str: ...

    def read(self, now: float) -> Reading: ...

    def close(self) -> None: ...
