"""Telemetry kept by the minute for a week: rings in memory, and the files they come back from."""
