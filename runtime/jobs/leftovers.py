"""What a job left behind when its keeper was killed: found by the mark in its environment, and ended."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from runtime.keeper.tree import descendants, kill_all

__all__ = ["kill_leftovers"]

DEADLINE_S = 5.0


def kill_leftovers(job_id: str, directory: Path) -> int:
    """End every process of this user that carries the mark of this job, and all below it; returns how many.

    The directory is part of the mark: ids come from content, so another state folder may run a job of the same id.
    Does nothing while a keeper lives in the directory, and none can begin there meanwhile: both hold its lock.
    A process that changed its environment *and* left its parents is not found; none is, without /proc.
    """
    try:
        lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):  # the job took it away: there is nothing to lock
        return _end_marked(job_id, directory)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _end_marked(job_id, directory)
    except BlockingIOError:
        return 0
    finally:
        os.close(lock)


def _end_marked(job_id: str, directory: Path) -> int:
    marks = {f"RATCHET_JOB={job_id}".encode(), b"RATCHET_DIRECTORY=" + os.fsencode(directory.absolute())}
    deadline = time.monotonic() + DEADLINE_S
    ended = 0
    while True:
        found = kill_all(lambda: _marked(marks))
        ended += found
        if not found or time.monotonic() > deadline:
            return ended
        time.sleep(0.002)  # the killed still show until the kernel has freed their memory


def _marked(marks: set[bytes]) -> set[int]:
    proc = Path("/proc")
    if not (proc / "self/environ").exists():
        return set()
    found: set[int] = set()
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:  # ended, or of another user
                continue
            if marks <= set(environment.split(b"\0")):
                found |= {int(entry.name)} | descendants(int(entry.name))
    return found - {os.getpid()}
