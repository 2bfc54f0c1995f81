"""Sentences about configurations and results, for rationales, trajectories and the questions put to recall."""

from __future__ import annotations

from core.records import Config

__all__ = ["describe_config", "describe_value"]


def describe_value(value: object) -> str:
    """A parameter's value in at most four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def describe_config(campaign: str, config: Config) -> str:
    """`breast-cancer: model=mlp, learning_rate=0.003`: the same words for the same configuration."""
    return f"{campaign}: " + ", ".join(f"{name}={describe_value(value)}" for name, value in config.items())
