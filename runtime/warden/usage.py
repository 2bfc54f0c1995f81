"""What a tree of processes uses that no limit of the kernel bounds as a whole: processor time and unlinked files."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterable

__all__ = ["cpu_s", "unlinked_bytes"]

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pids: Iterable[int]) -> float:
    """Processor seconds of the living `pids` and of all that were waited for.

    At least that much was used: a process that ignores the end of its children hides their time once they are dead.
    """
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + sum(map(_ticks, pids)) / _TICKS


def unlinked_bytes(pids: Iterable[int], device: int) -> int:
    """Bytes on `device` in files that have no name any more, and that one of `pids` holds open."""
    sizes: dict[int, int] = {}
    for pid in pids:
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                found = os.stat(f"/proc/{pid}/fd/{name}")
                if found.st_nlink == 0 and found.st_dev == device and stat.S_ISREG(found.st_mode):
                    sizes[found.st_ino] = found.st_blocks * 512
        except OSError:  # ended while we looked, or of another user
            continue
    return sum(sizes.values())


def _ticks(pid: int) -> int:
    """Of the process and of its children that it waited for."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15]))
