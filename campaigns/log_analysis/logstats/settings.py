"""What an installation may set, at any time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass
class Settings:
    """Offsets in hours from the time in the log, limits in seconds."""

    hours_ahead: float = 0.0
    slow_s: float = 1.0
    pause_s: float = 1800.0
    aliases: dict[str, str] = field(default_factory=dict)


SETTINGS = Settings()
"""The settings in force. Change its fields; all functions look here when they are called."""


def local_hour(moment: datetime) -> int:
    """The hour of day, 0–23, on the clock of whoever reads the report."""
    return (moment + timedelta(hours=SETTINGS.hours_ahead)).hour


def shown_name(source: str) -> str:
    """The name under which a source is reported: its alias, if it has one."""
    return SETTINGS.aliases.get(source, source)


def is_slow(duration: float) -> bool:
    """Whether a request of so many seconds counts as slow."""
    return duration >= SETTINGS.slow_s
