"""Supervisors: what may run."""

from agents.supervisors import gatekeeper

__all__ = ["gatekeeper"]
