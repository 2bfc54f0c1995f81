"""The episodes of a campaign, written while it happens: its id is the run, every cycle an episode.

What a killed process could not write any more is written by the next, from the ledger.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.episodes import TrainingEpisode
from core.errors import NotFoundError, StorageError
from core.events import (
    AnyEvent,
    BaselineMeasured,
    CampaignFinished,
    CampaignInterrupted,
    CycleFinished,
    CycleStarted,
)
from core.records import Baseline
from graph.episode_entries import Teller
from graph.episode_story import Story, stories, with_entries
from memory.episodes.logger import EpisodeLogger
from memory.episodes.shared import share_episodes
from memory.ledger import Ledger, StoredCampaign

__all__ = ["EpisodeListener", "follow_episodes"]

BOUNDARIES = (CycleStarted, CycleFinished, CampaignInterrupted, CampaignFinished)
"""Events at which what failed is tried again."""


@contextmanager
def follow_episodes(
    ledger: Ledger, stored: StoredCampaign, folder: Path, warn: Callable[[str], None]
) -> Iterator[None]:
    """While this lasts, the cycles of the campaign are logged into `folder`.  Trouble is told to `warn`, once."""
    with share_episodes(folder) as logger:
        listener = EpisodeListener(ledger, stored, logger, warn)
        forget = ledger.listen(listener.hear)
        try:
            yield
        finally:
            forget()
            listener.close()


class EpisodeListener:
    """Hears the events of one campaign, and never fails it.

    The first event of a session shows that its process has the campaign to itself; before, nothing is written.
    """

    def __init__(
        self, ledger: Ledger, stored: StoredCampaign, logger: EpisodeLogger, warn: Callable[[str], None]
    ) -> None:
        self._ledger = ledger
        self._stored = stored
        self._logger = logger
        self._warn = warn
        self._lock = threading.Lock()
        self._behind = True
        self._warned = False
        self._seq = 0
        self._last = 0
        self._teller = Teller()
        self._baseline: Baseline | None = None
        self._open: TrainingEpisode | None = None

    def hear(self, event: AnyEvent) -> None:
        """Log one event that the ledger has kept."""
        if event.campaign_id != self._stored.id or not event.kept:
            return
        with self._lock:
            try:
                if not self._behind:
                    self._log(event)
                elif not self._warned or isinstance(event, BOUNDARIES):
                    self._catch_up()
            except Exception as error:  # noqa: BLE001  # a log that fails never fails what it tells of
                self._behind = True
                self._tell_once(error)

    def close(self) -> None:
        """Mark an episode that is still open as interrupted."""
        with self._lock:
            episode, self._open = self._open, None
            if episode is None:
                return
            try:
                self._logger.complete_episode("interrupted", episode_id=episode.episode_id)
            except Exception as error:  # noqa: BLE001  # as above
                self._tell_once(error)

    # ------------------------------------------------------------------ inside

    def _log(self, event: AnyEvent) -> None:
        if event.seq <= self._seq:
            return  # written when it was caught up with
        if isinstance(event, BaselineMeasured):
            self._baseline = event.baseline
        told = self._teller.told_of(event)
        number = event.cycle or self._last
        if number == 0 or not (told or isinstance(event, CycleStarted)):
            return
        self._last = max(self._last, number)
        story = Story(self._stored, number, event.at, self._baseline, told=[(event, one) for one in told])
        if isinstance(event, CycleFinished):
            story.finished_at = event.at
        self._write(story)

    def _catch_up(self) -> None:
        """Write what the ledger tells and the files do not."""
        events = list(self._ledger.events(self._stored.id))
        if self._open is not None:
            self._open = self._readable(self._open.episode_id)
        self._teller = Teller()
        for event in events:
            self._teller.told_of(event)  # so that it knows of the votes that are not tallied yet
            if isinstance(event, BaselineMeasured):
                self._baseline = event.baseline
        for story in stories(self._stored, events):
            self._last = story.number
            self._write(story)
        self._seq = max((event.seq for event in events), default=0)
        self._behind = False

    def _write(self, story: Story) -> None:
        """Bring the episode up to the story: begun, gone on with, added to, or made again where it is damaged."""
        if self._open is None or self._open.episode_number != story.number:
            try:
                there = self._logger.load_episode(story.episode_id)
            except NotFoundError:
                there = None
            except StorageError:
                there = story.episode()
                self._logger.replace(there)
            if there is not None and there.status in ("completed", "failed"):
                missing = story.missing_in(there)
                if missing:
                    self._logger.replace(with_entries(there, missing))
                return
            self._open = self._logger.start_episode(
                self._stored.id, story.number, story.task, context=story.context, at=story.started_at
            )
        for event, told in story.missing_in(self._open):
            if told.kind == "context":
                self._logger.update_context(told.data, episode_id=story.episode_id)
                continue
            log = self._logger.log_action if told.kind == "action" else self._logger.log_outcome
            log(
                told.type,
                told.data,
                episode_id=story.episode_id,
                at=round(event.at, 3),
                seq=event.seq,
                increments=told.increments,
            )
        if story.finished_at is not None:
            self._logger.complete_episode(episode_id=story.episode_id, at=story.finished_at)
            self._open = None

    def _readable(self, episode_id: str) -> TrainingEpisode | None:
        try:
            return self._logger.load_episode(episode_id)
        except (NotFoundError, StorageError):
            return None

    def _tell_once(self, error: Exception) -> None:
        if self._warned:
            return
        self._warned = True
        what = getattr(error, "what", f"{type(error).__name__}: {error}")
        self._warn(
            f"the episodes are not logged: {what} (told once; nothing is lost, "
            f"`python run_graph.py episodes {self._stored.id} --rebuild` makes them from the ledger)"
        )
