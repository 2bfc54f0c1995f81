"""Directors: how to search in this cycle, and why."""

from agents.directors import advised, thresholds, triage

__all__ = ["advised", "thresholds", "triage"]
