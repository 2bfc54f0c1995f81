"""Executors: how a proposal is made real."""

from agents.executors import annotate, job, judge

__all__ = ["annotate", "job", "judge"]
