"""Directors: how to search in this cycle, and why."""

from agents.directors import thresholds

__all__ = ["thresholds"]
