"""The log of training episodes: what a run does, kept as it happens.

    logger = get_episode_logger()
    logger.start_episode("nightly", 1, "make the parser faster")
    logger.log_action("rag_query", {"query": "slow loops", "results": ["m-1"], "collection": "lessons"})
    logger.update_metrics(rag_queries=1)
    logger.complete_episode()

Every method may be called from any thread.  Nothing here ever deletes an episode.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal

from core.episodes import TrainingEpisode, checked_increments, episode_id_of, parts_of_episode_id
from core.errors import ConfigError, NotFoundError, StorageError
from core.ids import Clock, system_clock
from core.process import identify
from memory.episodes.beginning import RESUMED, busy, gone_on_with, not_open, theirs
from memory.episodes.entries import Kind, fit, line_of, merged
from memory.episodes.files import OWNER, EpisodeFiles
from memory.episodes.journal import Journal, SealedError, sealing
from memory.episodes.summary import summary_of

__all__ = ["Ending", "EpisodeLogger"]

Ending = Literal["completed", "failed", "interrupted"]

_here: ContextVar[tuple[Path, str] | None] = ContextVar("episode that was started here", default=None)


class EpisodeLogger:
    """Episodes in a folder, one JSON file each; see `docs/episodes.md`.

    The logging methods mean the episode of `episode_id`, which another process may have started.  Without one they mean
    the episode that was started in this context (a task, or what it began), else the only one that is open here.
    """

    def __init__(self, folder: Path, *, clock: Clock = system_clock) -> None:
        self.files = EpisodeFiles(folder)
        self._clock = clock
        self._open: dict[str, Journal] = {}
        self._lock = threading.Lock()
        _loggers.add(self)

    # ------------------------------------------------------------------ writing

    def start_episode(
        self,
        run_id: str,
        episode_number: int,
        task_description: str,
        *,
        context: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        at: float | None = None,
    ) -> TrainingEpisode:
        """Begin an episode, or go on with one that was interrupted, with all that it had told.

        Raises BusyError while a living process has it open, and ConfigError for one that has ended: nothing is
        written over.
        """
        episode_id = episode_id_of(run_id, episode_number)
        known, noted = fit(context or {}), theirs(metadata)
        with self.files.locked():
            try:
                before = self.files.settled(episode_id)
            except NotFoundError:
                episode = TrainingEpisode(
                    episode_id=episode_id,
                    run_id=run_id,
                    episode_number=episode_number,
                    started_at=self._clock() if at is None else at,
                    task_description=str(fit({"text": task_description})["text"]),
                    context=known,
                    metadata=noted,
                )
            else:
                episode = gone_on_with(before, known, noted)
            number = episode.metadata.get(RESUMED, 0)
            owner = {**identify()._asdict(), "journal": number}
            episode = episode.model_copy(update={"metadata": {**episode.metadata, OWNER: owner}})
            journal = Journal.create(self.files.journal(episode_id, number))
            try:
                self.files.write(episode)
            except BaseException:
                journal.close()
                journal.path.unlink(missing_ok=True)
                raise
        self._forget(episode_id)  # a journal of the same episode that somebody took away
        with self._lock:
            self._open[episode_id] = journal
        _here.set((self.files.folder, episode_id))
        return episode

    def log_action(
        self,
        action_type: str,
        action_data: Mapping[str, Any],
        *,
        episode_id: str | None = None,
        at: float | None = None,
        seq: int | None = None,
        increments: Mapping[str, float] | None = None,
    ) -> bool:
        """Add an action, and `increments` of metrics in the same breath; False when no episode is open.

        `at` is the time of it (default: now), `seq` the number of the event that it tells of.  Data is cut to some
        kilobytes and kept without secrets.  Raises StorageError when it could not be kept.
        """
        return self._tell("action", action_type, action_data, episode_id, at, seq, increments)

    def log_outcome(
        self,
        outcome_type: str,
        outcome_data: Mapping[str, Any],
        *,
        episode_id: str | None = None,
        at: float | None = None,
        seq: int | None = None,
        increments: Mapping[str, float] | None = None,
    ) -> bool:
        """Add an outcome; as `log_action`."""
        return self._tell("outcome", outcome_type, outcome_data, episode_id, at, seq, increments)

    def update_metrics(self, *, episode_id: str | None = None, **increments: float) -> bool:
        """Add to the sums, such as `tokens_used=812`.  Raises ConfigError for what is no increment of a metric."""
        return self._append(episode_id, line_of("metrics", metrics=checked_increments(increments)))

    def update_context(self, context: Mapping[str, Any], *, episode_id: str | None = None) -> bool:
        """Add to what the episode knew when it began."""
        return self._append(episode_id, line_of("context", data=fit(context)))

    def complete_episode(
        self,
        status: Ending = "completed",
        *,
        episode_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        at: float | None = None,
    ) -> TrainingEpisode:
        """Make the file whole and close the episode; one that is `interrupted` can be gone on with.

        Raises ConfigError when no such episode is open; after a StorageError it is open still, and can be tried again.
        """
        episode_id = episode_id or self._meant()
        if episode_id is None:
            raise ConfigError("no episode is open", where=str(self.files.folder), hint="call `start_episode` first")
        with self.files.locked():
            running = self.files.running(episode_id)
            if running is None:
                self._forget(episode_id)
                raise not_open(episode_id)
            episode, journal = running
            with sealing(journal) as lines:
                episode = merged(episode, lines)
                kept = {name: value for name, value in episode.metadata.items() if name != OWNER}
                now = self._clock() if at is None else at
                ended = None if status == "interrupted" else now
                episode = episode.model_copy(
                    update={"status": status, "completed_at": ended, "metadata": kept | theirs(metadata)}
                )
                self.files.write(episode)
        self._forget(episode_id)
        return episode

    def replace(self, episode: TrainingEpisode) -> None:
        """Put this in the place of an episode that is not open; a damaged file is set aside.  Raises BusyError."""
        with self.files.locked():
            try:
                before = self.files.settled(episode.episode_id)
            except NotFoundError:
                pass
            except StorageError:
                self.files.set_aside(episode.episode_id)
            else:
                if before.status == "running":
                    raise busy(before)
            self.files.write(episode)

    # ------------------------------------------------------------------ reading

    def load_episode(self, episode_id: str) -> TrainingEpisode:
        """One episode, as it stands now.  Raises NotFoundError, and StorageError naming a damaged file."""
        return self.files.read(episode_id)

    def list_episodes(self, run_id: str) -> list[str]:
        """The ids of a run's episodes, in order, without those whose files are damaged."""
        return [episode.episode_id for episode in self.episodes(run_id)]

    def episodes(self, run_id: str, damaged: dict[str, StorageError] | None = None) -> list[TrainingEpisode]:
        """A run's episodes, in order.  Damaged ones are left out; `damaged` is told of them, by id."""
        episode_id_of(run_id, 0)  # a run id, and no path
        return self.read(self.files.ids(run_id), damaged)

    def read(self, episode_ids: Iterable[str], damaged: dict[str, StorageError] | None = None) -> list[TrainingEpisode]:
        """Those episodes, without the ones that went away or are damaged; as `episodes`."""
        found = []
        for episode_id in episode_ids:
            try:
                found.append(self.files.read(episode_id))
            except NotFoundError:
                continue  # moved away meanwhile
            except StorageError as error:
                if damaged is not None:
                    damaged[episode_id] = error
        return found

    def list_runs(self) -> list[str]:
        """The ids of the runs that have an episode here."""
        return list(dict.fromkeys(parts_of_episode_id(episode_id)[0] for episode_id in self.files.ids()))

    def get_run_summary(self, run_id: str) -> dict[str, Any]:
        """The sums over a run's readable episodes, and how many there are by status; zeros for a run without any."""
        damaged: dict[str, StorageError] = {}
        return summary_of(run_id, self.episodes(run_id, damaged), len(damaged))

    # ------------------------------------------------------------------- inside

    def _tell(
        self,
        kind: Kind,
        name: str,
        data: Mapping[str, Any],
        episode_id: str | None,
        at: float | None,
        seq: int | None,
        increments: Mapping[str, float] | None,
    ) -> bool:
        at = self._clock() if at is None else at
        metrics = checked_increments(increments or {}) or None
        return self._append(
            episode_id, line_of(kind, type=str(name)[:200], at=at, data=fit(data), seq=seq, metrics=metrics)
        )

    def _append(self, episode_id: str | None, line: bytes) -> bool:
        episode_id = episode_id or self._meant()
        if episode_id is None:
            return False
        for _ in range(2):
            try:
                self._journal(episode_id).append(line)
            except SealedError:  # it has ended, or was gone on with in another journal
                self._forget(episode_id)
            else:
                return True
        raise not_open(episode_id)

    def _meant(self) -> str | None:
        """The episode that a call without an id means.  Raises ConfigError when it could be several."""
        here = _here.get()
        if here is not None and here[0] == self.files.folder and here[1] in self._open:
            return here[1]
        with self._lock:
            known = sorted(self._open)
        if len(known) > 1:
            raise ConfigError(
                f"{len(known)} episodes are open: which one is meant?",
                where=", ".join(known[:6]),
                hint="give episode_id",
            )
        return known[0] if known else None

    def _journal(self, episode_id: str) -> Journal:
        """The open journal; that of an episode of another process is joined.  Raises ConfigError when it has ended."""
        journal = self._open.get(episode_id)
        if journal is not None:
            return journal
        running = self.files.running(episode_id)
        if running is None:
            raise not_open(episode_id)
        with self._lock:
            if episode_id not in self._open:
                self._open[episode_id] = Journal.join(running[1])
            return self._open[episode_id]

    def _forget(self, episode_id: str) -> None:
        with self._lock:
            journal = self._open.pop(episode_id, None)
        if journal is not None:
            journal.close()

    def after_fork(self) -> None:
        """In a child: locks that nobody holds, and open files of its own."""
        self._lock = threading.Lock()
        for journal in self._open.values():
            journal.after_fork()


_loggers: weakref.WeakSet[EpisodeLogger] = weakref.WeakSet()


def _renew() -> None:
    for logger in list(_loggers):
        logger.after_fork()


os.register_at_fork(after_in_child=_renew)
