"""Watch one job from its start to its end, and conclude what came of it."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import resource
import select
import signal
import time

from runtime.keeper.files import create, write_all
from runtime.keeper.launch import StartError, launch
from runtime.keeper.metrics import Metrics, Report, StopRule, interrupt_search, read_metrics_file
from runtime.keeper.output import KeptOutput, Lines
from runtime.keeper.reason import describe_exit, one_line
from runtime.keeper.tree import Group, contain, go_first

TYPE_CHECKING = False  # importing typing costs a tenth of the start
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Watch"]

MEGABYTE = 1024 * 1024
CHUNK_BYTES = 64 * 1024
SAMPLE_S = 0.1
CLOSE_SAMPLE_S = 0.02
GRACE_S = 2.0
DRAIN_S = 1.0
KEPT_REPORTS = 20_000
KEPT_REPORT_BYTES = 8 * MEGABYTE
NEARLY_FULL_BYTES = 64 * 1024

Verdict = tuple[str, str, str]
"""(status, cause, reason)"""


class Watch:
    """One job under way.  `directory` is the descriptor of its directory, in which everything is written."""

    def __init__(self, spec: dict[str, Any], directory: int) -> None:
        self._spec = spec
        self._limits: dict[str, float] = spec["limits"]
        self._directory = directory
        self._tree: Group = contain(spec["containment"])
        self._metrics = Metrics(spec["patterns"])
        self._stop_rule = StopRule(**spec["stop_rule"]) if spec["stop_rule"] else None
        self._lines = Lines()
        self._reports_file = create(directory, "metrics.jsonl")
        self._reports_kept = 0
        self._report_bytes = 0
        self._reports_lost = 0
        self._disk_error: OSError | None = None
        self._poke = _open_fifo("poke")
        self._verdict: Verdict | None = None
        self._began = time.monotonic()
        self._peak_bytes = 0
        self._grace_until = math.inf
        self._terms = 0
        self._poll = select.poll()
        self._wake = self._listen()
        self._sinks: list[int] = []
        self._logs: dict[int, KeptOutput] = {}
        for name in ("stdout.log", "stderr.log"):
            source, sink = os.pipe()
            os.set_blocking(source, False)
            self._logs[source] = KeptOutput(directory, name, int(spec["keep_bytes"]))
            self._poll.register(source, select.POLLIN)
            self._sinks.append(sink)
        self._stdout, self._stderr = self._logs
        self._open = set(self._logs)

    def _listen(self) -> int:
        """Signals arrive as bytes in a pipe, so that one poll waits for everything."""
        wake, wakeup = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_term)
        signal.signal(signal.SIGALRM, interrupt_search)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])  # the starter may have blocked some
        self._poll.register(wake, select.POLLIN)
        return wake

    def _on_term(self, *_: object) -> None:
        self._terms += 1

    def run(self) -> dict[str, Any]:
        """The job from start to end; returns its result.  Nothing of the job is alive afterwards."""
        go_first()
        try:
            self._start()
        except StartError as error:
            self._verdict = ("failed", "start", one_line(str(error)))
            return self._result(0.0, orphans=0)
        try:
            self._watch()
        finally:
            duration_s = time.monotonic() - self._began
            orphans = self._tree.kill()
        self._drain()
        return self._result(duration_s, orphans)

    def _start(self) -> None:
        try:
            self._began = time.monotonic()
            self._tree.leader = launch(
                self._spec["command"],
                self._spec["environment"],
                directory=self._directory,
                stdout=self._sinks[0],
                stderr=self._sinks[1],
                file_bytes=int(self._limits["file_mb"] * MEGABYTE),
                tie=self._tree.processes == "subreaper",
            )
        finally:
            for sink in self._sinks:
                os.close(sink)

    def _watch(self) -> None:
        """Until the command has ended, by itself or by what is enforced here."""
        next_sample = self._began
        deadline = self._began + self._limits["time_s"]
        while self._tree.exit_code is None:
            wait_s = min(next_sample, deadline, self._grace_until) - time.monotonic()
            for source, _ in self._poll.poll(max(0.0, wait_s) * 1000):
                if source == self._wake:
                    _discard(self._wake)
                else:
                    self._read(source)
            self._tree.reap()
            if self._tree.exit_code is not None:
                return
            now = time.monotonic()
            if now >= next_sample:
                next_sample = now + self._sample()
            if now >= deadline:
                self._find("time", f"ran longer than its limit of {self._limits['time_s']:g} s")
            if self._terms and self._verdict is None:
                self._verdict = ("cancelled", "", "cancelled while it ran")
                self._grace_until = now + GRACE_S
                self._tree.send(signal.SIGTERM)
                self._tree.send(signal.SIGCONT)
            no_grace = self._grace_until == math.inf or self._terms > 1  # asked twice: now
            if self._verdict is not None and (no_grace or now >= self._grace_until):
                return

    def _sample(self) -> float:
        """Measure memory and processes; returns the seconds until it is to be done again."""
        most = int(self._limits["processes"])
        pids = self._tree.pids(most + 1)
        if len(pids) > most:  # its memory is not measured any more: that takes long, and a bomb grows meanwhile
            self._find("processes", f"had more processes at once than its limit of {most}")
            return CLOSE_SAMPLE_S
        used = self._tree.memory_bytes(pids, self._peak_bytes)
        self._peak_bytes = max(self._peak_bytes, used)
        limit_mb = self._limits["memory_mb"]
        if used > limit_mb * MEGABYTE:
            self._find("memory", f"used {used / MEGABYTE:.0f} MB of memory, its limit is {limit_mb:g} MB")
        return CLOSE_SAMPLE_S if len(pids) > most / 2 or used > limit_mb * MEGABYTE / 2 else SAMPLE_S

    def _find(self, cause: str, reason: str) -> None:
        self._verdict = self._verdict or ("failed", cause, reason)

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
        self._logs[source].add(chunk)
        printed = sum(log.total for log in self._logs.values())
        if printed > self._limits["output_mb"] * MEGABYTE:
            self._find("output", f"printed more than its limit of {self._limits['output_mb']:g} MB")
        if source == self._stdout:
            self._take(self._lines.feed(chunk))
        return True

    def _take(self, lines: list[bytes]) -> None:
        reports = [report for line in lines if (report := self._metrics.read(line)) is not None]
        if not reports:
            return
        self._keep(reports)
        for report in reports:
            if self._verdict is None and self._stop_rule is not None and self._tree.exit_code is None:
                self._verdict = self._stop_rule.judge(report)

    def _keep(self, reports: list[Report]) -> None:
        """Append to `metrics.jsonl`, then poke whoever listens."""
        room = self._disk_error is None and self._report_bytes < KEPT_REPORT_BYTES
        kept = reports[: KEPT_REPORTS - self._reports_kept] if room else []
        self._reports_kept += len(kept)
        self._reports_lost += len(reports) - len(kept)
        if not kept:
            return
        time_s = round(time.monotonic() - self._began, 4)
        lines = [json.dumps({"step": step, "time_s": time_s, "metrics": metrics}) for step, metrics in kept]
        content = "".join(f"{line}\n" for line in lines).encode()
        self._report_bytes += len(content)
        try:
            write_all(self._reports_file, content)
        except OSError as error:
            self._disk_error = error
        with contextlib.suppress(OSError):  # full: whoever listens is behind and will be woken anyway
            os.write(self._poke, b"\n")

    def _drain(self) -> None:
        """What was printed and not yet read.  Everyone who could print is dead, so the end comes at once."""
        deadline = time.monotonic() + DRAIN_S
        for source in list(self._open):
            while self._read(source) and time.monotonic() < deadline:
                pass
        self._take(self._lines.end())

    def _result(self, duration_s: float, orphans: int) -> dict[str, Any]:
        status, cause, reason = self._verdict or self._conclude()
        metrics, noise = self._metrics.split(self._spec["metrics_required"])
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        largest = usage.ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024)
        return {
            "version": 1,
            "job_id": self._spec["id"],
            "attempt": self._spec["attempt"],
            "status": status,
            "cause": cause,
            "reason": reason,
            "metrics": metrics,
            "noise": noise,
            "steps": self._metrics.steps,
            "exit_code": self._tree.exit_code,
            "duration_s": round(duration_s, 4),
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 4),
            "peak_memory_mb": round(max(self._peak_bytes, largest) / MEGABYTE, 2),
            "isolation": self._isolation(orphans),
        }

    def _conclude(self) -> Verdict:
        """The verdict on a job that ended by itself."""
        complaint = ""
        try:
            self._metrics.merge(read_metrics_file(self._directory))
        except ValueError as error:
            complaint = f"; {error}"
        code = self._tree.exit_code or 0
        if code == -signal.SIGXFSZ:
            return "failed", "disk", f"wrote a file larger than its limit of {self._limits['file_mb']:g} MB"
        if code != 0:
            said = describe_exit(code, self._logs[self._stderr].tail)
            if self._disk_is_full(said):
                return "failed", "disk", one_line(f"the disk is full: {said}")
            return "failed", "crashed", said
        metrics, _ = self._metrics.split(self._spec["metrics_required"])
        missing = [name for name in self._spec["metrics_required"] if name not in metrics]
        if missing:
            full = self._disk_is_full("")
            gave = f"it gave {', '.join(sorted(metrics)[:8])}" if metrics else "it gave no metric at all"
            reason = f"{'the disk is full: ' if full else ''}no metric {', '.join(missing)}; {gave}{complaint}"
            return "failed", "disk" if full else "no_metric", one_line(reason)
        odd = [name for name in self._spec["metrics_required"] if not math.isfinite(metrics[name])]
        if odd:
            return "failed", "not_finite", one_line(", ".join(f"{name} is {metrics[name]}" for name in odd))
        return "ok", "", one_line("; ".join(self._remarks(complaint)))

    def _remarks(self, complaint: str) -> list[str]:
        """What a person should know about a job that went well."""
        found = [complaint.removeprefix("; ")] if complaint else []
        if self._reports_lost:
            found.append(f"{self._reports_lost} of its reports were not kept")
        if any(log.error for log in self._logs.values()):
            found.append("its logs are incomplete, the disk was full")
        found += [f"the pattern of {name} takes too long and was given up" for name in self._metrics.slow_patterns]
        return found

    def _disk_is_full(self, said: str) -> bool:
        errors = [self._disk_error, *(log.error for log in self._logs.values())]
        if any(error is not None and error.errno in (errno.ENOSPC, errno.EDQUOT) for error in errors):
            return True
        space = os.fstatvfs(self._directory)
        nearly_full = space.f_blocks > 0 and space.f_bavail * space.f_frsize < NEARLY_FULL_BYTES
        return nearly_full or os.strerror(errno.ENOSPC) in said

    def _isolation(self, orphans: int) -> dict[str, str]:
        """What was enforced, and what was not."""
        counted = self._tree.processes == "subreaper"
        return {
            "processes": self._tree.processes,
            "process_count": "sampled" if counted else "none",
            "memory": self._tree.memory,
            "time": "monotonic clock",
            "output": "bounded reader",
            "env": "allow-list",
            "disk": f"files of at most {self._limits['file_mb']:g} MB",
            "files": "none",
            "net": "none",
            "orphans": f"{orphans} could not be ended" if orphans else "none left" if counted else "unknown",
        }


def _open_fifo(name: str) -> int:
    """In the working directory; opened both ways, so that it never blocks and never ends while the keeper lives."""
    os.mkfifo(name, 0o600)
    return os.open(name, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)


def _discard(source: int) -> None:
    try:
        while os.read(source, 512):
            pass
    except BlockingIOError:
        pass
