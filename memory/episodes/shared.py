"""The logger that the parts of a program share."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.settings import load_settings
from memory.episodes.logger import EpisodeLogger

__all__ = ["default_folder", "get_episode_logger", "share_episodes"]

DEFAULT = Path("training") / "episodes"
"""In the state folder."""

_shared: dict[Path, EpisodeLogger] = {}
_chosen: list[Path] = []
_lock = threading.Lock()


def get_episode_logger(folder: Path | str | None = None) -> EpisodeLogger:
    """The one logger of this process for a folder (default: the shared one, else as the settings say)."""
    if folder is None:
        folder = _chosen[-1] if _chosen else default_folder()
    place = Path(folder).absolute()
    with _lock:
        if place not in _shared:
            _shared[place] = EpisodeLogger(place)
        return _shared[place]


@contextmanager
def share_episodes(folder: Path) -> Iterator[EpisodeLogger]:
    """While this lasts, `get_episode_logger()` means that folder everywhere in the process; the newest counts."""
    logger = get_episode_logger(folder)
    _chosen.append(logger.files.folder)
    try:
        yield logger
    finally:
        _chosen.remove(logger.files.folder)


def default_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """`EPISODES_DIR`, else `training/episodes` of the state folder.  Raises ConfigError for bad settings."""
    settings = load_settings({}, {}, environment)
    return settings.episodes_dir or settings.home / DEFAULT
