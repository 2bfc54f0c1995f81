"""Executors: how a proposal is made real."""

from agents.executors import annotate, job

__all__ = ["annotate", "job"]
