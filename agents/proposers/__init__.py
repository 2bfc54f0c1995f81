"""Proposers: what to try next.  A portfolio, not one optimiser."""

from agents.proposers import bayes, commenter, probe, quasi_random, recombine

__all__ = ["bayes", "commenter", "probe", "quasi_random", "recombine"]
