"""Supervisors: what may run."""

from agents.supervisors import gatekeeper, reviewed

__all__ = ["gatekeeper", "reviewed"]
