"""Executors: how a proposal is made real."""

from agents.executors import annotate, deployer, job, judge

__all__ = ["annotate", "deployer", "job", "judge"]
