"""One long-running process: started once, found again by its identity after we were killed, ended with its children.

It is a session of its own, so that Ctrl-C at the terminal reaches us alone, and its output goes to a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from core.errors import UnavailableError
from core.files import write_private
from core.process import ProcessIdentity, identify

__all__ = ["ServiceProcess", "free_port", "wait_healthy"]

STOP_S = 5.0
"""What a process has from SIGTERM to SIGKILL."""
POLL_S = 0.05
TAIL = 2000


class ServiceProcess:
    """The process that `folder/NAME.json` tells of; its output is in `folder/NAME.log`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._note = folder / f"{name}.json"
        self.log = folder / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None
        self.identity, self.facts = self._told()

    @property
    def alive(self) -> bool:
        if self._child is not None:
            self._child.poll()  # a child that ended is no zombie any more
        return self.identity is not None and self.identity.alive()

    def start(
        self, command: Sequence[str], where: Path, environment: Mapping[str, str], facts: Mapping[str, str | int]
    ) -> None:
        """Start it in `where`; `facts` are kept for whoever finds it again.  Raises UnavailableError."""
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with self.log.open("wb") as output:
                self._child = subprocess.Popen(  # noqa: S603  # the command of the user's own campaign
                    list(command),
                    cwd=where,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise UnavailableError(
                f"cannot start {command[0]}: {error.strerror}", where=str(where), hint="check `live.start`"
            ) from error
        try:
            self.identity = identify(self._child.pid)
        except ProcessLookupError:  # it ended at once
            self.identity = None
        self.facts = dict(facts)
        write_private(self._note, json.dumps({"identity": self.identity, "facts": self.facts}))

    async def stop(self) -> str:
        """End it and its session; answers what it printed last."""
        if self.identity is not None and self.alive:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended(), STOP_S)
            if self.alive:
                self._signal(signal.SIGKILL)
                await self._ended()
        self._note.unlink(missing_ok=True)
        return self.tail()

    def tail(self) -> str:
        """The end of what it printed."""
        try:
            return self.log.read_bytes()[-TAIL:].decode(errors="replace").strip()
        except OSError:
            return ""

    async def _ended(self) -> None:
        while self.alive:  # noqa: ASYNC110  # no event tells of the end of what is no child of ours
            await asyncio.sleep(POLL_S)

    def _signal(self, number: signal.Signals) -> None:
        assert self.identity is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.identity.pid, number)  # the leader of its session

    def _told(self) -> tuple[ProcessIdentity | None, dict[str, str | int]]:
        try:
            note = json.loads(self._note.read_text())
            identity = None if note["identity"] is None else ProcessIdentity(*note["identity"])
            return identity, dict(note["facts"])
        except (OSError, ValueError, KeyError, TypeError):
            return None, {}


async def wait_healthy(url: str, patience_s: float, process: ServiceProcess | None = None) -> None:
    """Until `url` answers 200.  Raises UnavailableError when it does not in time, or its process ended."""
    until = time.monotonic() + patience_s
    said = "no answer"
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
        while time.monotonic() < until:
            if process is not None and not process.alive:
                raise UnavailableError(
                    "the service ended as it was started", where=str(process.log), hint=process.tail()[-300:]
                )
            try:
                answer = await client.get(url)
                if answer.status_code == 200:
                    return
                said = f"status {answer.status_code}"
            except httpx.HTTPError as error:
                said = str(error) or type(error).__name__
            await asyncio.sleep(POLL_S)
    raise UnavailableError(f"the service is not well after {patience_s:g} s: {said}", where=url, hint="is it started?")


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
