"""Where an episode begins or is gone on with, and when that is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.episodes import TrainingEpisode
from core.errors import BusyError, ConfigError
from memory.episodes.entries import fit
from memory.episodes.files import OWNER

__all__ = ["RESUMED", "busy", "gone_on_with", "not_open", "theirs"]

RESUMED = "resumed"
OURS = (OWNER, RESUMED, "torn_entries")
"""Keys of the metadata that the logger keeps itself."""


def gone_on_with(before: TrainingEpisode, context: dict[str, Any], metadata: dict[str, Any]) -> TrainingEpisode:
    """The interrupted episode, begun again.  Raises BusyError, and ConfigError for one that has ended."""
    if before.status == "running":
        raise busy(before)
    if before.status != "interrupted":
        raise ConfigError(
            f"episode {before.episode_id} has {before.status} already",
            where=before.run_id,
            hint="take the next number, or another run id",
        )
    resumed = before.metadata.get(RESUMED, 0)
    again = resumed + 1 if isinstance(resumed, int) else 1
    return before.model_copy(
        update={
            "status": "running",
            "completed_at": None,
            "context": before.context | context,
            "metadata": before.metadata | metadata | {RESUMED: again},
        }
    )


def theirs(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """The metadata of a caller, without what the logger keeps itself."""
    return {name: value for name, value in fit(metadata or {}).items() if name not in OURS}


def busy(episode: TrainingEpisode) -> BusyError:
    """A living process has the episode open."""
    owner = episode.metadata.get(OWNER, {})
    return BusyError(
        f"episode {episode.episode_id} is being written by process {owner.get('pid')}",
        where=f"host {owner.get('host')}",
        hint="complete it there first",
    )


def not_open(episode_id: str) -> ConfigError:
    """The episode has ended, or was never begun by a living process."""
    return ConfigError(
        f"episode {episode_id} is not open", where="episode_id", hint="`start_episode` begins it, or goes on with it"
    )
