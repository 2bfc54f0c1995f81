"""Proposers: what to try next.  A portfolio, not one optimiser."""

from agents.proposers import bayes, probe, quasi_random, recombine

__all__ = ["bayes", "probe", "quasi_random", "recombine"]
