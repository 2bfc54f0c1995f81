"""A job under way, seen from the main process: its reports as they come, its end as an event.

The end is the keeper's end, known through a pidfd: it works alike for a keeper that this process started and for one
it found after a restart.  Without pidfds it is the end of the `poke` pipe, which the keeper holds open.
No thread, no polling.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from core.errors import BusyError, NotFoundError, StorageError, UnavailableError
from core.process import ProcessIdentity
from runtime import keeper
from runtime.jobs.leftovers import kill_leftovers
from runtime.jobs.reports import ReportFile
from runtime.jobs.result import JobReport, JobResult, lost_result, read_result, read_started
from runtime.jobs.spec import JobSpec, temporary_directory

__all__ = ["RunningJob", "attach", "start"]

KEEPER = Path(keeper.__file__).with_name("__main__.py")
START_DEADLINE_S = 60.0
CANCEL_DEADLINE_S = 20.0
ANSWER_LIMIT_BYTES = 64 * 1024


class RunningJob:
    """Made by `start` and `attach`, inside a running event loop."""

    def __init__(
        self,
        *,
        job_id: str,
        attempt: int,
        directory: Path,
        identity: ProcessIdentity,
        child: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self.job_id = job_id
        self.attempt = attempt
        self.directory = directory
        self.identity = identity
        self._child = child
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[JobResult] = self._loop.create_future()
        self._reports: list[JobReport] = []
        self._file = ReportFile(directory / "metrics.jsonl")
        self._changed = asyncio.Event()
        self._poke = _open_poke(directory)
        self._pidfd = _open_pidfd(identity)
        if self._poke is not None:
            self._loop.add_reader(self._poke, self._on_poke)
        self._pull()  # whoever watched before took the pokes of what is there already
        if self._pidfd is not None:
            self._loop.add_reader(self._pidfd, self._on_end)
        elif self._poke is None or not identity.alive():
            self._loop.call_soon(self._on_end)

    async def wait(self) -> JobResult:
        """The result, once there is one.  Being cancelled while waiting does not end the job."""
        return await asyncio.shield(self._ended)

    async def reports(self) -> AsyncIterator[JobReport]:
        """Every report of this attempt from its first on, each as soon as it is written; ends with the job."""
        position = 0
        while True:
            while position < len(self._reports):
                position += 1
                yield self._reports[position - 1]
            if self._ended.done():
                return
            changed = self._changed
            await changed.wait()

    async def cancel(self) -> JobResult:
        """Ask the job to end (SIGTERM), two seconds later make it end; returns its result.

        A job that ended meanwhile keeps the result it has.
        """
        if not self._ended.done():
            self._signal(signal.SIGTERM)
            _, pending = await asyncio.wait([self._ended], timeout=CANCEL_DEADLINE_S)
            if pending:
                self._signal(signal.SIGKILL)
        return await self.wait()

    def close(self) -> None:
        """Stop watching.  The job goes on."""
        for descriptor in (self._poke, self._pidfd):
            if descriptor is not None:
                self._loop.remove_reader(descriptor)
                os.close(descriptor)
        self._poke = self._pidfd = None

    def _signal(self, number: int) -> None:
        try:
            if self._pidfd is not None:
                signal.pidfd_send_signal(self._pidfd, number)
            elif self.identity.alive():
                os.kill(self.identity.pid, number)
        except ProcessLookupError:
            pass

    def _on_poke(self) -> None:
        assert self._poke is not None
        try:
            ended = os.read(self._poke, 65536) == b""
        except BlockingIOError:
            return
        if not ended:
            self._pull()
        elif self._pidfd is None:
            self._on_end()
        else:
            self._loop.remove_reader(self._poke)
            os.close(self._poke)
            self._poke = None

    def _pull(self) -> None:
        new = self._file.read()
        if new:
            self._reports += new
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _on_end(self) -> None:
        """The keeper is gone, so everything it will ever write is written."""
        self.close()
        if self._ended.done():
            return
        if self._child is not None:
            self._child.wait()
        self._pull()
        self._ended.set_result(read_result(self.directory, self.attempt) or self._lost())
        self._wake()

    def _lost(self) -> JobResult:
        left = kill_leftovers(self.job_id, self.directory)
        latest = read_started(self.directory)
        if latest is None or latest.attempt == self.attempt:
            shutil.rmtree(temporary_directory(self.directory), ignore_errors=True)
        reason = f"its keeper (pid {self.identity.pid}) ended without a result"
        if left:
            reason += f"; {left} processes of it were still alive and have been ended"
        return lost_result(self.job_id, self.attempt, reason)


async def start(spec: JobSpec) -> RunningJob:
    """Start one attempt; returns once its keeper has written who it is, just before the command runs.

    A command that cannot be run is a result (`start`), not an error.  Raises BusyError when this attempt was started
    before or another one still runs, StorageError when the directory cannot be written.
    """
    child, answer = _spawn(spec)
    try:
        async with asyncio.timeout(START_DEADLINE_S):
            told = await _read_to_end(answer)
    except TimeoutError:
        child.kill()
        child.wait()
        raise UnavailableError(
            f"the keeper of job {spec.id} did not answer in {START_DEADLINE_S:g} s", where=str(spec.directory)
        ) from None
    except BaseException:
        child.terminate()  # before it has taken over this ends it, afterwards it is a cancel
        raise
    if told != b"started\n":
        child.wait()
        raise _explain(told, spec)
    started = read_started(spec.directory)
    if started is None:
        raise StorageError("the job's own record cannot be read", where=str(spec.directory / "started.json"))
    return RunningJob(
        job_id=spec.id, attempt=spec.attempt, directory=spec.directory, identity=started.identity, child=child
    )


def attach(directory: Path, identity: ProcessIdentity, *, attempt: int | None = None) -> RunningJob:
    """Watch a job that was started by a process that is gone, or whose result nobody has read.

    `identity` is the keeper's; when that very process no longer runs, the result is the one it left, else `lost`.
    Raises NotFoundError when nothing was started in `directory`, UnavailableError when it runs on another machine.
    """
    directory = directory.absolute()
    started = read_started(directory)
    if started is None:
        raise NotFoundError("no job was started here", where=str(directory))
    attempt = started.attempt if attempt is None else attempt
    if identity.host != os.uname().nodename and read_result(directory, attempt) is None:
        raise UnavailableError(
            f"job {started.job_id} was started on {identity.host}",
            where=str(directory),
            hint=f"resume on {identity.host}, or wait for its result",
        )
    return RunningJob(job_id=started.job_id, attempt=attempt, directory=directory, identity=identity)


def _spawn(spec: JobSpec) -> tuple[subprocess.Popen[bytes], int]:
    """The keeper's process, and the pipe on which it answers."""
    answer, sink = os.pipe()
    try:
        spec.directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=spec.directory) as told:
            told.write(json.dumps(spec.keeper_input()).encode())
            told.seek(0)
            child = subprocess.Popen(  # noqa: S603 -- our own interpreter and script
                [sys.executable, "-I", "-S", str(KEEPER), str(spec.directory)],
                stdin=told,
                stdout=sink,
                stderr=sink,
                env={},
                start_new_session=True,
            )
    except OSError as error:
        os.close(answer)
        raise _storage_error(error.strerror or str(error), error.errno, spec) from error
    finally:
        os.close(sink)
    return child, answer


async def _read_to_end(source: int) -> bytes:
    """Everything up to the end of the pipe, which is closed."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    content = bytearray()

    def on_ready() -> None:
        chunk = os.read(source, 4096)
        content.extend(chunk[: ANSWER_LIMIT_BYTES - len(content)])
        if not chunk and not ended.done():
            ended.set_result(None)

    loop.add_reader(source, on_ready)
    try:
        await ended
    finally:
        loop.remove_reader(source)
        os.close(source)
    return bytes(content)


def _explain(told: bytes, spec: JobSpec) -> Exception:
    try:
        message = json.loads(told)
    except ValueError:
        words = told.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        return UnavailableError(f"the keeper of job {spec.id} did not start: {words[-1]}", where=str(KEEPER))
    if "refused" in message:
        return BusyError(
            f"attempt {spec.attempt} of job {spec.id} was not started: {message['refused']}",
            where=str(spec.directory),
            hint="attach to the job that runs, or raise the attempt",
        )
    return _storage_error(message["error"], message.get("errno"), spec)


def _storage_error(text: str, number: int | None, spec: JobSpec) -> StorageError:
    full = number in (errno.ENOSPC, errno.EDQUOT)
    return StorageError(
        f"the directory of job {spec.id} cannot be written: {text}",
        where=str(spec.directory),
        hint="free some space, then resume" if full else "check its owner and permissions",
    )


def _open_poke(directory: Path) -> int | None:
    try:
        return os.open(directory / "poke", os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # the job has ended, or took it away: its reports are read at its end
        return None


def _open_pidfd(identity: ProcessIdentity) -> int | None:
    """A descriptor that becomes readable when this very process ends; None when it has, or without pidfds."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        descriptor = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return None
    if identity.alive():  # asked after opening: the descriptor is of that process and not of a later one
        return descriptor
    os.close(descriptor)
    return None
