"""Episodes: what a training run did, one record an episode.  A campaign is a run, each of its cycles an episode.

Times are UTC seconds since the epoch, durations milliseconds where the name says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import ConfigError, nearest
from core.records import Record

__all__ = [
    "Entry",
    "EpisodeMetrics",
    "EpisodeStatus",
    "TrainingEpisode",
    "checked_increments",
    "episode_id_of",
    "parts_of_episode_id",
]

EpisodeStatus = Literal["running", "completed", "failed", "interrupted"]
"""`interrupted`: its process ended, or it was stopped, before it was whole; it can be gone on with."""

Entry = dict[str, Any]
"""An action or outcome: `type`, `at` (UTC seconds) and `data`; one of the event stream has the `seq` of its event."""

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}", re.ASCII)
EPISODE_ID = re.compile(rf"(?P<run>{RUN_ID.pattern})_ep(?P<number>[0-9]{{4,9}})", re.ASCII)
MAX_NUMBER = 999_999_999
MAX_INCREMENT = 10**15

Count = Annotated[int, Field(ge=0)]


class EpisodeMetrics(BaseModel):
    """What an episode took and gave, as sums that only grow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens_used: Count = 0
    inference_time_ms: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    changes_proposed: Count = 0
    changes_accepted: Count = 0
    rag_queries: Count = 0
    llm_calls: Count = 0
    error_count: Count = 0

    def plus(self, **increments: float) -> EpisodeMetrics:
        """The sums with these added.  Raises ConfigError for an unknown name and for what is no increment."""
        added = checked_increments(increments)
        return self.model_copy(update={name: getattr(self, name) + value for name, value in added.items()})


class TrainingEpisode(Record):
    """One episode whole.  `episode_id` is also the stem of its file."""

    model_config = ConfigDict(ser_json_inf_nan="null")  # a file of ours is JSON for every reader
    schema_version: ClassVar[int] = 1

    episode_id: str
    run_id: str
    episode_number: int = Field(ge=0, le=MAX_NUMBER)
    started_at: float = Field(allow_inf_nan=False)
    completed_at: float | None = Field(default=None, allow_inf_nan=False)
    status: EpisodeStatus = "running"
    task_description: str
    context: dict[str, Any] = Field(default={})
    actions: list[Entry] = Field(default=[])
    outcomes: list[Entry] = Field(default=[])
    metrics: EpisodeMetrics = EpisodeMetrics()
    metadata: dict[str, Any] = Field(default={})

    @model_validator(mode="after")
    def _of_its_run(self) -> TrainingEpisode:
        if self.version > self.schema_version:
            raise ValueError(f"its schema is {self.version}, this program knows {self.schema_version}")
        if self.episode_id != episode_id_of(self.run_id, self.episode_number):
            raise ValueError(f"{self.episode_id!r} is not episode {self.episode_number} of {self.run_id!r}")
        return self


def episode_id_of(run_id: str, episode_number: int) -> str:
    """`{run_id}_ep{episode_number:04d}`.  Raises ConfigError for a run id that is no plain name."""
    if not isinstance(run_id, str) or RUN_ID.fullmatch(run_id) is None:
        raise ConfigError(
            f"{str(run_id)[:80]!r} is no run id",
            where="run_id",
            hint="a letter or digit, then letters, digits, '.', '_' and '-', at most 120 in all",
        )
    if isinstance(episode_number, bool) or not isinstance(episode_number, int) or not 0 <= episode_number <= MAX_NUMBER:
        raise ConfigError(f"{episode_number!r} is no episode number", where="episode_number", hint="0, 1, 2, …")
    return f"{run_id}_ep{episode_number:04d}"


def parts_of_episode_id(episode_id: str) -> tuple[str, int]:
    """(run id, number).  Raises ConfigError for what is no episode id, such as a path."""
    match = EPISODE_ID.fullmatch(episode_id) if isinstance(episode_id, str) else None
    if match is None or episode_id_of(match["run"], int(match["number"])) != episode_id:
        raise ConfigError(
            f"{str(episode_id)[:80]!r} is no episode id", where="episode_id", hint="such as breast-cancer-1_ep0003"
        )
    return match["run"], int(match["number"])


def checked_increments(increments: Mapping[str, float]) -> dict[str, float]:
    """The increments as they may be added: known names, finite, not negative, whole where counts are."""
    for name, value in increments.items():
        if name not in EpisodeMetrics.model_fields:
            raise ConfigError(
                f"{name!r} is no metric", where="episode", hint=nearest(name, EpisodeMetrics.model_fields)
            )
        whole = name != "inference_time_ms"
        is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= MAX_INCREMENT:
            wanted = "a whole number" if whole else "a number"
            raise ConfigError(f"{name} = {value!r} is no increment", where="episode", hint=f"{wanted}, 0 or more")
    return dict(increments)
