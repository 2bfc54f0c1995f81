"""Executors: how a proposal is made real."""

from agents.executors import job

__all__ = ["job"]
