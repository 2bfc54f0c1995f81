"""The logger that the parts of a program share."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from core.settings import load_settings
from memory.episodes.logger import EpisodeLogger

__all__ = ["default_folder", "get_episode_logger"]

DEFAULT = Path("training") / "episodes"
"""In the state folder."""

_shared: dict[Path, EpisodeLogger] = {}
_lock = threading.Lock()


def get_episode_logger(folder: Path | str | None = None) -> EpisodeLogger:
    """The one logger of this process for a folder (default: as the settings say, see `default_folder`)."""
    place = (default_folder() if folder is None else Path(folder)).absolute()
    with _lock:
        if place not in _shared:
            _shared[place] = EpisodeLogger(place)
        return _shared[place]


def default_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """`EPISODES_DIR`, else `training/episodes` of the state folder.  Raises ConfigError for bad settings."""
    settings = load_settings({}, {}, environment)
    return settings.episodes_dir or settings.home / DEFAULT
