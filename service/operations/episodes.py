"""The log of training runs: the runs, the episodes of one, one episode, and the sums."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from core.episodes import EpisodeMetrics, EpisodeStatus, TrainingEpisode, episode_id_of, parts_of_episode_id
from core.errors import ConfigError, NotFoundError, StorageError
from memory.episodes.logger import EpisodeLogger
from memory.episodes.shared import get_episode_logger
from service.operations.desk import Desk
from service.operations.ids import Paged, RunId
from service.operations.operation import Taken, Told
from service.operations.pages import page

__all__ = [
    "EpisodeOf",
    "EpisodePage",
    "EpisodeTold",
    "EpisodesOf",
    "RunOf",
    "RunPage",
    "RunSummary",
    "Runs",
    "id_of_episode",
    "row_of",
]


class RunSummary(Told):
    """The sums over a run's readable episodes, and how many there are by status."""

    run_id: str
    total_episodes: int
    running: int
    completed: int
    failed: int
    interrupted: int
    damaged: int = Field(description="files that cannot be read; not among the others")
    total_tokens_used: int
    total_inference_time_ms: float
    total_changes_proposed: int
    total_changes_accepted: int
    total_rag_queries: int
    total_llm_calls: int
    total_error_count: int
    first_started_at: float | None
    last_completed_at: float | None


class RunPage(Told):
    folder: str
    runs: list[RunSummary]
    next: str | None = None


class Runs(Paged):
    """The training runs that have an episode."""


def runs(taken: Runs, desk: Desk, *, every: bool = False) -> RunPage:
    """`every`: all on one page, as the command line shows them."""
    logger = _logger(desk)
    chosen, following = page(logger.list_runs(), str, None if every else taken.limit, taken.after)
    told = [logger.get_run_summary(run_id) for run_id in chosen]
    return RunPage.model_validate({"folder": str(logger.files.folder), "runs": told, "next": following})


class RunOf(Taken):
    run_id: RunId


def summary(taken: RunOf, desk: Desk) -> RunSummary:
    logger = _logger(desk)
    _known(logger, taken.run_id)
    return RunSummary.model_validate(logger.get_run_summary(taken.run_id))


class EpisodeRow(Told):
    """An episode without its entries, of which it says how many there are."""

    episode_id: str
    run_id: str
    episode_number: int
    started_at: float
    completed_at: float | None
    status: EpisodeStatus
    task_description: str
    metrics: EpisodeMetrics
    actions: int
    outcomes: int


class Damaged(Told):
    episode_id: str
    what: str


class EpisodePage(Told):
    run_id: str
    episodes: list[EpisodeRow]
    damaged: list[Damaged]
    next: str | None = None


class EpisodesOf(Paged):
    """The episodes of a run, in order."""

    run_id: RunId


def episodes(taken: EpisodesOf, desk: Desk, *, every: bool = False) -> EpisodePage:
    """`every`: all on one page, as the command line shows them."""
    logger = _logger(desk)
    ids = _known(logger, taken.run_id)
    chosen, following = page(ids, str, None if every else taken.limit, taken.after)
    faults: dict[str, StorageError] = {}
    found = logger.read(chosen, faults)
    return EpisodePage.model_validate(
        {
            "run_id": taken.run_id,
            "episodes": [row_of(episode) for episode in found],
            "damaged": [{"episode_id": name, "what": error.what} for name, error in faults.items()],
            "next": following,
        }
    )


class EpisodeOf(RunOf):
    episode_id: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,139}$", description="its id, or its number")
    ]


class EpisodeTold(Told):
    """One episode whole."""

    episode_id: str
    run_id: str
    episode_number: int
    started_at: float
    completed_at: float | None
    status: EpisodeStatus
    task_description: str
    context: dict[str, Any]
    actions: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]
    metrics: EpisodeMetrics
    metadata: dict[str, Any]


def episode(taken: EpisodeOf, desk: Desk) -> EpisodeTold:
    try:
        episode_id = id_of_episode(taken.run_id, taken.episode_id)
    except ConfigError as error:  # over an interface it is a thing that is not there
        raise NotFoundError(error.what, where="episode_id", hint=error.hint) from error
    found = _logger(desk).load_episode(episode_id)
    return EpisodeTold.model_validate(found.model_dump(mode="json", exclude={"version"}))


def id_of_episode(run_id: str, episode: str) -> str:
    """From a number or an id.  Raises ConfigError for what is neither, or of another run."""
    if episode.isascii() and episode.isdigit() and len(episode) < 10:
        return episode_id_of(run_id, int(episode))
    if parts_of_episode_id(episode)[0] != run_id:
        raise ConfigError(f"{episode!r} is no episode of {run_id}", where="command line", hint="give its number")
    return episode


def _logger(desk: Desk) -> EpisodeLogger:
    return get_episode_logger(desk.folder.episodes)


def _known(logger: EpisodeLogger, run_id: str) -> list[str]:
    """The ids of the run's episodes.  Raises NotFoundError for a run without any."""
    if not (ids := logger.files.ids(run_id)):
        raise NotFoundError(
            f"there is no run {run_id!r} with an episode", where=str(logger.files.folder), hint="the runs list them"
        )
    return ids


def row_of(episode: TrainingEpisode) -> dict[str, Any]:
    """An episode without its entries, of which it says how many there are."""
    told = episode.model_dump(mode="json", exclude={"version", "actions", "outcomes", "context", "metadata"})
    return {**told, "actions": len(episode.actions), "outcomes": len(episode.outcomes)}
