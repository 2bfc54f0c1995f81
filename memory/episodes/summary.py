"""What the episodes of a run come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from core.episodes import EpisodeMetrics, EpisodeStatus, TrainingEpisode

__all__ = ["summary_of"]


def summary_of(run_id: str, episodes: Sequence[TrainingEpisode], damaged: int = 0) -> dict[str, Any]:
    """How many there are by status, and `total_…` of every metric; `damaged` ones are not among them."""
    ended = [e.completed_at for e in episodes if e.completed_at is not None]
    return {
        "run_id": run_id,
        "total_episodes": len(episodes),
        **{status: sum(e.status == status for e in episodes) for status in get_args(EpisodeStatus)},
        "damaged": damaged,
        **{
            f"total_{name}": sum(getattr(episode.metrics, name) for episode in episodes)
            for name in EpisodeMetrics.model_fields
        },
        "first_started_at": min((e.started_at for e in episodes), default=None),
        "last_completed_at": max(ended, default=None),
    }
