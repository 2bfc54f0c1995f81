"""Voters: each judges every proposal by one thing it knows about."""

from agents.voters import constraints, novelty, persona, reward, world_model

__all__ = ["constraints", "novelty", "persona", "reward", "world_model"]
