"""Watch one command from its start to its end, and say how it ended."""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import resource
import select
import signal
import time

from runtime.keeper.files import write_all
from runtime.keeper.launch import StartError
from runtime.keeper.reason import one_line
from runtime.keeper.tree import contain, go_first
from runtime.warden import files, landlock
from runtime.warden.bubblewrap import HELPERS, Bubble
from runtime.warden.confine import start
from runtime.warden.ending import conclude
from runtime.warden.output import Kept
from runtime.warden.usage import cpu_s, unlinked_bytes
from runtime.warden.user import private_id

TYPE_CHECKING = False  # importing typing costs a tenth of the start
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Watch"]

MEGABYTE = 1024 * 1024
CHUNK_BYTES = 64 * 1024
KEEP_BYTES = MEGABYTE
SAMPLE_S = 0.1
CLOSE_SAMPLE_S = 0.02
DRAIN_S = 1.0
MOST_FILES = 50_000
DATA_FACTOR = 2
DATA_EXTRA_MB = 512
PAUSE_FACTOR, LONGEST_PAUSE_S = 20, 1.0
"""Between two looks at the disk, which take long when there are many files."""


class Watch:
    """One command under way.  `caller` is a descriptor that becomes readable when the caller is gone."""

    def __init__(self, spec: dict[str, Any], blobs: list[bytes], caller: int) -> None:
        self._spec = spec
        self._limits: dict[str, float] = spec["limits"]
        self._stdin, *self._contents = blobs
        self._caller = caller
        self._parent = os.getppid()
        self._private = private_id()
        self._tree = contain("subreaper")
        self._bubble: Bubble | None = None
        self._work = -1
        self._held = False
        self._ended: tuple[str, str] | None = None
        self._began = time.monotonic()
        self._peak_bytes = 0
        self._next_disk_s = 0.0
        self._poll = select.poll()
        self._wake = self._listen()
        self._kept: dict[int, Kept] = {}
        self._sinks: list[int] = []
        for _ in ("stdout", "stderr"):
            source, sink = os.pipe()
            os.set_blocking(source, False)
            self._kept[source] = Kept(KEEP_BYTES)
            self._poll.register(source, select.POLLIN)
            self._sinks.append(sink)
        self._open = set(self._kept)

    def run(self) -> tuple[dict[str, Any], list[bytes]]:
        """From start to end; nothing of the command is alive afterwards.  Raises StartError, SetupError, OSError."""
        go_first()
        self._spec["rlimits"] = self._rlimits()
        try:
            self._start()
            self._watch()
        finally:
            duration_s = time.monotonic() - self._began
            used_s = cpu_s(self._tree.pids(int(self._limits["processes"])))
            if self._bubble is not None and self._bubble.init:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._bubble.init, signal.SIGKILL)  # the kernel ends all that is in its namespace
            orphans = self._tree.kill()
        self._drain()
        return self._answer(duration_s, used_s, orphans)

    def _rlimits(self) -> dict[str, int]:
        limits = self._limits
        found = {
            "RLIMIT_CORE": 1,  # by this the kernel also knows not to hand the memory to a collector of crashes
            "RLIMIT_FSIZE": int(min(limits["file_mb"], limits["disk_mb"]) * MEGABYTE),
            "RLIMIT_NOFILE": int(limits["open_files"]),
            # Not the limit itself: threads and allocators reserve more than they use.  It bounds what one process can
            # grow by between two samples.
            "RLIMIT_DATA": int((DATA_FACTOR * limits["memory_mb"] + DATA_EXTRA_MB) * MEGABYTE),
        }
        if limits["cpu_s"] < math.inf:
            found["RLIMIT_CPU"] = math.ceil(limits["cpu_s"])
        if self._spec["level"] != 3 and self._private is not None:
            found["RLIMIT_NPROC"] = int(limits["processes"])
        return found

    def _listen(self) -> int:
        """The end of a child arrives as a byte in a pipe, so that one poll waits for everything."""
        wake, wakeup = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])  # the caller may have blocked some
        for source in (wake, self._caller):
            self._poll.register(source, select.POLLIN)
        return wake

    def _start(self) -> None:
        stdin = self._open_stdin()
        try:
            if self._spec["level"] == 3:
                self._bubble = Bubble(self._spec, self._private)
                self._tree.leader = self._bubble.build(stdin, self._sinks[0], self._sinks[1], self._complaint)
                self._fill(self._bubble.work)
                self._held = self._bubble.limit_processes(int(self._limits["processes"]))
                self._began = time.monotonic()
                self._bubble.go()
            else:
                self._hand_over()
                self._fill(os.open(self._spec["work"], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
                self._began = time.monotonic()
                self._held = self._private is not None
                self._tree.leader = start(self._spec, self._private, stdin, *self._sinks)
        finally:
            for descriptor in (stdin, *self._sinks):
                os.close(descriptor)

    def _hand_over(self) -> None:
        if self._private is not None:
            os.chmod(self._spec["session"], 0o711)  # noqa: S103 -- its user passes through, and lists nothing
            for place in (self._spec["work"], self._spec["temporary"]):
                os.chown(place, self._private, self._private)

    def _open_stdin(self) -> int:
        """A file in memory that nobody can write to: a pipe would have to be fed."""
        try:
            writable = os.memfd_create("stdin", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        except (AttributeError, OSError):  # not Linux, or a container that withholds it
            return self._open_named_stdin()
        write_all(writable, self._stdin)
        fcntl.fcntl(writable, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
        try:
            return os.open(f"/proc/self/fd/{writable}", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(writable)

    def _open_named_stdin(self) -> int:
        path = os.path.join(self._spec["session"], "stdin")
        write_all(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o400), self._stdin)
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def _fill(self, work: int) -> None:
        self._work = work
        if self._spec["tree"]:
            files.copy_tree(self._spec["tree"], work, self._private)
        for path, content in zip(self._spec["files"], self._contents, strict=True):
            files.put(work, path, content, self._private)
        if not files.is_directory(work, self._spec["cwd"]):
            raise StartError(f"there is no directory {self._spec['cwd']} to start in")

    def _watch(self) -> None:
        """Until the command has ended, by itself or by what is enforced here."""
        next_sample = self._began
        deadline = self._began + self._limits["time_s"]
        while self._tree.exit_code is None and self._ended is None:
            wait_s = min(next_sample, deadline) - time.monotonic()
            for source, _ in self._poll.poll(max(0.0, wait_s) * 1000):
                if source == self._wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake, 512)
                elif source == self._caller:
                    self._find("abandoned", "its caller is gone")
                else:
                    self._read(source)
            self._tree.reap()
            if self._tree.exit_code is not None:
                return
            if os.getppid() != self._parent:  # a fork of the caller may hold on to the pipe
                self._find("abandoned", "its caller is gone")
            now = time.monotonic()
            if now >= next_sample:
                next_sample = now + self._sample()
            if now >= deadline:
                self._find("time", f"ran longer than its limit of {self._limits['time_s']:g} s")

    def _sample(self) -> float:
        """Measure the tree; returns the seconds until it is to be done again."""
        most = int(self._limits["processes"]) + (HELPERS if self._bubble else 0)
        pids = self._tree.pids(most + 1)
        if len(pids) > most:  # nothing else is measured any more: that takes long, and a bomb grows meanwhile
            self._find("processes", f"had more processes at once than its limit of {self._limits['processes']:g}")
            return CLOSE_SAMPLE_S
        used = self._tree.memory_bytes(pids, self._peak_bytes)
        self._peak_bytes = max(self._peak_bytes, used)
        limit = self._limits["memory_mb"] * MEGABYTE
        if used > limit:
            self._find("memory", f"used {used / MEGABYTE:.0f} MB of memory, its limit is {limit / MEGABYTE:g} MB")
        if cpu_s(pids) > self._limits["cpu_s"]:
            self._find("cpu", f"used more processor time than its limit of {self._limits['cpu_s']:g} s")
        self._sample_disk(pids)
        return CLOSE_SAMPLE_S if len(pids) > most / 2 or used > limit / 2 else SAMPLE_S

    def _sample_disk(self, pids: set[int]) -> None:
        """In a bubble the kernel bounds the bytes; elsewhere they are counted."""
        began = time.monotonic()
        if began < self._next_disk_s:
            return
        used, count = 0, 0
        if self._bubble is not None:
            count = self._bubble.files()
        else:
            for place in (self._spec["work"], self._spec["temporary"]):
                size, number = files.usage(place, MOST_FILES)
                used, count = used + size, count + number
            used += unlinked_bytes(pids, os.fstat(self._work).st_dev)
        ended = time.monotonic()
        self._next_disk_s = ended + min(LONGEST_PAUSE_S, PAUSE_FACTOR * (ended - began))
        limit = self._limits["disk_mb"] * MEGABYTE
        if used > limit:
            self._find("disk", f"used {used / MEGABYTE:.0f} MB of disk, its limit is {limit / MEGABYTE:g} MB")
        if count > MOST_FILES:
            self._find("disk", f"made more than {MOST_FILES} files")

    def _find(self, ended: str, reason: str) -> None:
        self._ended = self._ended or (ended, reason)

    def _read(self, source: int) -> bool:
        """Take one chunk; False at the end of the stream or when there is nothing now."""
        try:
            chunk = os.read(source, CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            self._open.discard(source)
            self._poll.unregister(source)
            return False
        self._kept[source].add(chunk)
        if sum(kept.total for kept in self._kept.values()) > self._limits["output_mb"] * MEGABYTE:
            self._find("output", f"printed more than its limit of {self._limits['output_mb']:g} MB")
        return True

    def _drain(self) -> None:
        """What was printed and not yet read.  Everyone who could print is dead, so the end comes at once."""
        deadline = time.monotonic() + DRAIN_S
        for source in list(self._open):
            while self._read(source) and time.monotonic() < deadline:
                pass

    def _complaint(self) -> str:
        """What was printed to stderr so far."""
        self._drain()
        return one_line(list(self._kept.values())[1].content().decode("utf-8", "replace").strip())

    def _answer(self, duration_s: float, used_s: float, orphans: int) -> tuple[dict[str, Any], list[bytes]]:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        largest = usage.ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024)
        peak_bytes = max(self._peak_bytes, largest)
        if peak_bytes > self._limits["memory_mb"] * MEGABYTE:
            self._find("memory", f"used {peak_bytes / MEGABYTE:.0f} MB of memory for a moment, more than its limit")
        used_s = max(used_s, usage.ru_utime + usage.ru_stime)
        if used_s >= self._limits["cpu_s"]:  # the kernel was faster than the sampling
            self._find("cpu", f"used more processor time than its limit of {self._limits['cpu_s']:g} s")
        stdout, stderr = (kept.content() for kept in self._kept.values())
        ended, reason, code, number = conclude(self._tree.exit_code, stderr, shell=self._bubble is not None)
        if self._ended is not None:
            (ended, reason), code, number = self._ended, None, None
        taken, refused = files.take(self._work, self._spec["outputs"], int(self._limits["copied_mb"] * MEGABYTE))
        header = {
            "ended": ended,
            "reason": one_line(reason),
            "exit_code": code,
            "signal": number,
            "duration_s": round(duration_s, 4),
            "cpu_s": round(used_s, 4),
            "peak_memory_mb": round(peak_bytes / MEGABYTE, 2),
            "orphans": orphans,
            "printed_bytes": [kept.total for kept in self._kept.values()],
            "taken": list(taken),
            "refused": refused,
            "facts": {
                "user": "private" if self._private is not None else "own",
                "processes_limited": self._held,
                "tree": self._tree.processes,
                "landlock": landlock.abi(),
            },
        }
        return header, [stdout, stderr, *taken.values()]
