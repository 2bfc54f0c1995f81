"""The files of episodes: `{episode_id}.json`, whole at any time, and beside it a journal while the episode runs.

The file of a running episode names its owner and its journal.  Whoever reads it after the owner's death writes into it
that it was interrupted, with all that the journal told.
"""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.episodes import TrainingEpisode, parts_of_episode_id
from core.errors import ConfigError, NotFoundError, RatchetError, StorageError
from core.files import write_private
from core.process import ProcessIdentity, identify
from memory.episodes.entries import merged
from memory.episodes.journal import content_of, read_lines, sealing
from memory.sqlite_file import set_aside

__all__ = ["OWNER", "EpisodeFiles"]

OWNER = "owner"
"""In the metadata of a running episode: the process that made it, and the number of its journal."""
LOCK = ".lock"


class EpisodeFiles:
    """The episodes of one folder.  Any number of processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._lock = str(self.folder / LOCK)

    def path(self, episode_id: str) -> Path:
        """The file of an episode.  Raises ConfigError for what is no episode id."""
        parts_of_episode_id(episode_id)
        return self.folder / f"{episode_id}.json"

    def journal(self, episode_id: str, number: int) -> Path:
        parts_of_episode_id(episode_id)
        return self.folder / f"{episode_id}.{number}.journal"

    def ids(self, run_id: str | None = None) -> list[str]:
        """The ids of the files that are there, of a run or of all, by run and number; damaged ones too."""
        found: list[tuple[str, int]] = []
        try:
            names = os.listdir(self.folder)  # noqa: PTH208  # a run may have thousands: names alone are faster
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageError(
                f"cannot read the episodes: {error.strerror}", where=str(self.folder), hint="check the folder's rights"
            ) from error
        for name in names:
            stem, dot, ending = name.rpartition(".")
            if ending != "json" or not dot:
                continue
            with suppress(ConfigError):
                run, number = parts_of_episode_id(stem)
                if run_id is None or run == run_id:
                    found.append((run, number))
        return [f"{run}_ep{number:04d}" for run, number in sorted(found)]

    def whole(self, episode_id: str) -> TrainingEpisode:
        """What the file says by itself.  Raises as `read`."""
        path = self.path(episode_id)
        try:
            text = content_of(path)
        except FileNotFoundError:
            raise NotFoundError(
                f"there is no episode {episode_id!r}",
                where=str(self.folder),
                hint="`python run_graph.py episodes` lists the runs, `episodes RUN` the episodes of one",
            ) from None
        except OSError as error:
            raise _damaged(path, error.strerror or str(error)) from error
        try:
            return TrainingEpisode.model_validate_json(text)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_context=False)[0]
            at = ".".join(str(part) for part in fault["loc"])
            raise _damaged(path, f"{at}: {fault['msg']}" if at else fault["msg"]) from error
        except RatchetError as error:
            raise _damaged(path, error.what) from error

    def read(self, episode_id: str) -> TrainingEpisode:
        """The episode as it stands now, its journal read in.  One whose process is gone is `interrupted`.

        Raises NotFoundError, and StorageError naming a damaged file.
        """
        episode = self.whole(episode_id)
        if episode.status != "running":
            return episode
        owner = _owner(episode)
        if owner is not None and _lives(owner[0]):
            lines = read_lines(self.journal(episode_id, owner[1]))
            now = self.whole(episode_id)  # made whole while the journal was read?
            return merged(episode, lines) if now == episode else self.read(episode_id)
        if owner is None or owner[0].host == platform.node():  # of a process elsewhere nobody here can be sure
            with suppress(StorageError):  # a folder that may only be read, a full disk
                return self.settle(episode_id)
        return _interrupted(merged(episode, [] if owner is None else read_lines(self.journal(episode_id, owner[1]))))

    def settle(self, episode_id: str) -> TrainingEpisode:
        """Write into the file of an episode whose process is gone that it was interrupted.  Raises StorageError."""
        with self.locked():
            return self.settled(episode_id)

    def settled(self, episode_id: str) -> TrainingEpisode:
        """The same for a caller that holds the lock."""
        episode = self.whole(episode_id)
        owner = _owner(episode)
        if episode.status != "running" or (owner is not None and _lives(owner[0])):
            return episode
        if owner is None:
            self.write(told := _interrupted(episode))
            return told
        with sealing(self.journal(episode_id, owner[1])) as lines:
            self.write(told := _interrupted(merged(episode, lines)))
        return told

    def running(self, episode_id: str) -> tuple[TrainingEpisode, Path] | None:
        """The file of an episode that a living process has open, without its journal, and the journal's path."""
        episode = self.whole(episode_id)
        owner = _owner(episode)
        if episode.status != "running" or owner is None or not _lives(owner[0]):
            return None
        return episode, self.journal(episode_id, owner[1])

    def write(self, episode: TrainingEpisode) -> None:
        """Replace the file in one step.  Raises StorageError, and the old file stays."""
        try:
            text = episode.model_dump_json()
        except ValueError as error:  # halves of characters, an object that is no JSON
            raise ConfigError(
                f"the episode cannot be written as JSON: {str(error).splitlines()[0][:200]}", where=episode.episode_id
            ) from error
        write_private(self.path(episode.episode_id), text + "\n")

    def set_aside(self, episode_id: str) -> Path:
        """Rename a damaged file, so that the episode can be made again; nothing is overwritten."""
        return set_aside(self.path(episode_id))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process and thread at a time begins, ends or amends an episode here."""
        descriptor = self._lock_file()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing alone would leave it to a child forked meanwhile
        finally:
            os.close(descriptor)

    # ------------------------------------------------------------------ inside

    def _lock_file(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            try:
                return os.open(self._lock, flags, 0o600)
            except FileNotFoundError:
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                return os.open(self._lock, flags, 0o600)
        except OSError as error:
            raise StorageError(
                f"cannot keep episodes: {error.strerror}", where=str(self.folder), hint="choose another EPISODES_DIR"
            ) from error


def _damaged(path: Path, why: str) -> StorageError:
    return StorageError(
        f"the episode file {path.name} is damaged: {why}",
        where=str(path),
        hint="move it away; an episode of a campaign can be made again: `python run_graph.py episodes RUN --rebuild`",
    )


def _owner(episode: TrainingEpisode) -> tuple[ProcessIdentity, int] | None:
    """Who runs it, and the number of its journal; None when the file does not say."""
    told: Any = episode.metadata.get(OWNER)
    try:
        who = ProcessIdentity(int(told["pid"]), int(told["start_time"]), str(told["boot_id"]), str(told["host"]))
        return who, int(told["journal"])
    except (TypeError, KeyError, ValueError):
        return None


def _lives(who: ProcessIdentity) -> bool:
    return who == _identity_of(os.getpid()) or who.alive()


@lru_cache(maxsize=1)
def _identity_of(pid: int) -> ProcessIdentity:
    return identify(pid)


def _interrupted(episode: TrainingEpisode) -> TrainingEpisode:
    metadata = {name: value for name, value in episode.metadata.items() if name != OWNER}
    return episode.model_copy(update={"status": "interrupted", "metadata": metadata})
