"""One command, run in bounds: its CPU time with that of all it started, and what it left behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Run", "become_subreaper", "run"]

PR_SET_CHILD_SUBREAPER = 36
TICK = os.sysconf("SC_CLK_TCK")
SETTLE_S = 2.0
"""After its end, before what is left is counted as left behind."""


@dataclass(frozen=True)
class Run:
    """CPU seconds: `main_cpu_s` of the first process alone, `total_cpu_s` of it and all that it started.

    `ended` is its exit code as text, `signal N`, `time`, or `killed` where `stop_when` said so.
    """

    ended: str
    wall_s: float
    main_cpu_s: float
    total_cpu_s: float
    left: tuple[str, ...]
    output: str


def become_subreaper() -> None:
    """Orphans of a run become children of this process, so that none is missed."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def run(
    command: list[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    time_s: float,
    stop_when: Callable[[], bool] = lambda: False,
) -> Run:
    """Run it in `folder`; SIGKILL to the first process alone after `time_s`, or as soon as `stop_when` holds.

    Whatever is alive SETTLE_S after its end is listed in `left`, then killed by its id.
    """
    before, began = _children_cpu_s(), time.monotonic()
    log = folder / f"output-{time.monotonic_ns()}.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            start_new_session=True,
        )  # fmt: skip
    try:
        ended, main_cpu_s = _watched(process, began + time_s, stop_when)
        wall = time.monotonic() - began
        deadline = time.monotonic() + SETTLE_S
        while (alive := _descendants()) and time.monotonic() < deadline:
            _reap()
            time.sleep(0.05)
        left = tuple(_name(pid) for pid in alive)
    finally:
        while alive := _descendants():
            for pid in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            _reap()
            time.sleep(0.02)
        _reap()
    return Run(ended, wall, main_cpu_s, _children_cpu_s() - before, left, log.read_text(errors="replace"))


def _watched(process: subprocess.Popen[bytes], deadline: float, stop_when: Callable[[], bool]) -> tuple[str, float]:
    """How it ended, and its own CPU seconds, read while it is a zombie."""
    ended = ""
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        late = time.monotonic() > deadline
        if not ended and (late or stop_when()):
            ended = "time" if late else "killed"
            os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.01)
    main_cpu_s = _cpu_s(process.pid)
    code = process.wait()
    return ended or (str(code) if code >= 0 else f"signal {-code}"), main_cpu_s


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_s(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICK if fields else 0.0


def _descendants() -> list[int]:
    """Alive processes below this one; nothing else on the machine is touched."""
    parents = {int(p.name): _stat(int(p.name)) for p in Path("/proc").iterdir() if p.name.isdigit()}
    mine, found = {os.getpid()}, list[int]()
    grew = True
    while grew:
        grew = False
        for pid, fields in parents.items():
            if pid not in mine and fields and fields[0] != "Z" and int(fields[1]) in mine:
                mine.add(pid)
                found.append(pid)
                grew = True
    return found


def _name(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "?"
    return " ".join(words).strip()[:120]


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
