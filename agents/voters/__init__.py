"""Voters: each judges every proposal by one thing it knows about."""

from agents.voters import constraints, novelty, world_model

__all__ = ["constraints", "novelty", "world_model"]
