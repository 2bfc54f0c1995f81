"""Voters: each judges every proposal by one thing it knows about."""

from agents.voters import change, constraints, guided, novelty, persona, reward, world_model

__all__ = ["change", "constraints", "guided", "novelty", "persona", "reward", "world_model"]
