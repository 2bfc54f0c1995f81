"""A service as it would be with a draft: a copy of its folder, with the draft's files written into it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.errors import ConfigError

__all__ = ["laid_out"]

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "venv", "node_modules", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".ratchet"
)
"""Of no use to a test, and large."""


@contextmanager
def laid_out(root: Path, files: Mapping[str, str]) -> Iterator[Path]:
    """A copy of `root` with `files` written, gone afterwards.  Raises ConfigError for a root that cannot be read."""
    with tempfile.TemporaryDirectory(prefix="ratchet-checks-") as name:
        tree = Path(name) / "service"
        try:
            shutil.copytree(root, tree, symlinks=True, ignore=LEFT_OUT)
        except (OSError, shutil.Error) as error:
            raise ConfigError(f"the service cannot be copied: {error}", where=str(root)) from error
        for path, text in files.items():
            place = tree / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8", newline="")
        Path(name).chmod(0o755)  # the sandbox's user reads it
        yield tree
