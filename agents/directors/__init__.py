"""Directors: how to search in this cycle, and why."""

from agents.directors import advised, thresholds

__all__ = ["advised", "thresholds"]
