"""Telemetry of ourselves, by OpenTelemetry and its standard variables; without them the SDK is not even imported.

Every other room writes spans and counts through OpenTelemetry's API alone, which does nothing until this one has set
up where they go.  Only a program may set that up, a library never: a host that has providers of its own keeps them.
"""

from __future__ import annotations

from runtime.telemetry.start import Stop, start_telemetry
from runtime.telemetry.wanted import Wanted, wanted

__all__ = ["Stop", "Wanted", "start_telemetry", "wanted"]
