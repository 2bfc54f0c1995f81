"""Telemetry of services that are watched (not our own): where it is read from.  What cannot be read is a gap."""

from __future__ import annotations

from runtime.observed.source import Reading, Source

__all__ = ["Reading", "Source"]
