"""What tests of several packages share."""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

# A pool of threads for matrices of twenty rows only waits, and burns the processor that the other tests need.
os.environ.setdefault("OMP_NUM_THREADS", "1")


class Disk:
    """A file system of its own, that can be filled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Not one byte more fits afterwards."""
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for size in (4096, 1):
            try:
                while True:
                    os.write(descriptor, b"x" * size)
            except OSError:
                pass
        os.close(descriptor)

    def empty(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Disk]:
    """A disk of one megabyte, or of as many as the parameter says.  Skipped, aloud, where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    size = f"size={getattr(request, 'param', 1)}m,mode=0700"
    mounted = subprocess.run(
        [shutil.which("mount") or "false", "-t", "tmpfs", "-o", size, "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        why = mounted.stderr.strip() or "there is no mount program"
        warnings.warn(f"nobody has filled a disk here: {why}", stacklevel=1)
        pytest.skip(f"a full disk needs a file system of its own: {why}")
    yield Disk(place)
    subprocess.run(["umount", str(place)], check=True)
