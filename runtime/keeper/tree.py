"""The processes of a job: all of them, what they use, and their end.

`Tree` rests on Linux: this process is made a *child subreaper* (prctl(2)), so that every orphan below it becomes its
child and none can leave; `/proc/<pid>/task/*/children` lists them.  `Group` is for systems without either: it reaches
the process group of the job, and a process that left the group is missed.  `isolation` of the result names which.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

__all__ = ["Group", "Tree", "contain", "descendants", "die_with_parent", "go_first", "identity"]

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
KILL_TIME_S = 5.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_Find = Callable[[], Iterable[int]]
_Children = Callable[[int], list[int]]


class Group:
    """The job's process group."""

    processes = "process group"
    memory = "none"

    def __init__(self) -> None:
        self.leader = 0
        self.exit_code: int | None = None

    def pids(self, most: int | None = None) -> set[int]:
        """The job's processes, as far as they can be seen from here; `most` of them are enough."""
        return set(islice([self.leader] if self.leader and self.exit_code is None else [], most))

    def memory_bytes(self, _pids: Iterable[int], _beyond: int) -> int:
        """Resident memory of the processes; 0 where it cannot be measured."""
        return 0

    def send(self, number: int) -> None:
        """Send a signal to every process."""
        if self.leader:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.leader, number)

    def kill(self) -> int:
        """End every process; returns how many could not be ended in `KILL_TIME_S`."""
        self.send(signal.SIGKILL)
        return 0 if self._reap_until(time.monotonic() + KILL_TIME_S) else len(self.pids())

    def reap(self) -> bool:
        """Collect the children that ended; `exit_code` is the leader's.  True when no child is left."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return False
                if pid == self.leader:
                    self.exit_code = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            return True

    def _reap_until(self, deadline: float) -> bool:
        while not self.reap():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True


class Tree(Group):
    """Every descendant of this process."""

    processes = "subreaper"
    memory = "sampled rss"

    def __init__(self) -> None:
        super().__init__()
        self._next_exact_s = 0.0
        self._exact_share = 1.0

    def pids(self, most: int | None = None) -> set[int]:
        return set(islice(_walk(os.getpid()), most))

    def memory_bytes(self, pids: Iterable[int], beyond: int) -> int:
        """The sum of resident memory.  Above `beyond`, pages that several processes share are counted once.

        The exact figure (PSS) costs some milliseconds a process, so it is taken at most a twentieth of the time; in
        between, the last known share of the plain sum stands in.
        """
        pids = list(pids)
        plain = sum(_resident_bytes(pid) for pid in pids)
        if plain <= beyond or len(pids) < 2:
            return plain
        began = time.monotonic()
        if began >= self._next_exact_s:
            exact = sum(_proportional_bytes(pid) for pid in pids)
            ended = time.monotonic()
            self._next_exact_s = ended + 20 * (ended - began)
            self._exact_share = min(1.0, exact / plain) if plain else 1.0
        return int(plain * self._exact_share)

    def send(self, number: int) -> None:
        for pid in self.pids():
            _kill(pid, number)

    def kill(self) -> int:
        deadline = time.monotonic() + KILL_TIME_S
        while True:
            kill_all(lambda: _walk(os.getpid()))
            # No child left means no descendant left: the orphans of every one of them became children of this process.
            if self._reap_until(min(deadline, time.monotonic() + 0.05)):
                return 0
            if time.monotonic() > deadline:
                return len(self.pids())


def contain(wanted: str) -> Group:
    """The best containment there is here, or only the process group when that is `wanted`."""
    if wanted != "process group" and os.path.exists("/proc/self/stat") and _prctl(PR_SET_CHILD_SUBREAPER, 1):
        return Tree()
    return Group()


def die_with_parent(parent: int) -> None:
    """The calling process is killed when its parent dies, or at once when it has died already."""
    if _prctl(PR_SET_PDEATHSIG, signal.SIGKILL) and os.getppid() != parent:
        os._exit(127)


def go_first() -> None:
    """The calling process, though none that it starts, runs before all ordinary ones, where the system allows it.

    Among the hundreds of processes of a fork bomb it would else wait so long for its turn that there are thousands.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):  # only root may, and not in every container
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


def _prctl(option: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0) == 0)


def kill_all(find: _Find) -> int:
    """Stop everything that `find` finds, look again until nothing new is there, then kill.  Returns how many.

    Stopped first, so that no process forks out of sight while others are being killed; and each as soon as it is
    found, because a bomb grows while one still looks.
    """
    seen: set[int] = set()
    while True:
        before = len(seen)
        for pid in find():
            if pid not in seen:
                _kill(pid, signal.SIGSTOP)
                seen.add(pid)
        if len(seen) == before:
            break
    for pid in seen:
        _kill(pid, signal.SIGKILL)
    return len(seen)


def descendants(root: int) -> set[int]:
    """The children of `root`, theirs, and so on, zombies included."""
    return set(_walk(root))


def _walk(root: int) -> Iterator[int]:
    """The same one by one, each before anybody looks for its children."""
    children = _children_listed if os.path.exists(f"/proc/{root}/task/{root}/children") else _children_by_scan()
    found: set[int] = set()
    todo = [root]
    while todo:
        for pid in children(todo.pop()):
            if pid not in found:
                found.add(pid)
                todo.append(pid)
                yield pid


def _children_listed(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
    except OSError:  # it ended while we looked
        pass
    return found


def _children_by_scan() -> _Children:
    """For kernels without the `children` files: the parent of every process there is."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat(int(name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(name))
    return lambda pid: children.get(pid, [])


def identity(pid: int) -> dict[str, int | str]:
    """The fields of `core.process.ProcessIdentity`, by the same rules."""
    boot_id = ""
    fields = _stat(pid)
    if fields:
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot_id = file.read().strip()
    return {"pid": pid, "start_time": int(fields[19]) if fields else 0, "boot_id": boot_id, "host": os.uname().nodename}


def _stat(pid: int) -> list[bytes]:
    """/proc/<pid>/stat from the state on; empty when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []


def _resident_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _proportional_bytes(pid: int) -> int:
    """Resident memory with shared pages divided among those who share them; plain where it is not readable."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return _resident_bytes(pid)


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
