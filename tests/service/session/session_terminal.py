"""The session in a real pseudo-terminal, which tells where its cursor is when it is asked."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pexpect
from command_line import DEADLINE_S, ROOT, environment

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-_])")


class Terminal:
    """`seen` is everything that was sent to it."""

    def __init__(self, *words: object, home: Path, columns: int = 100, **variables: str) -> None:
        command = [str(ROOT / "run_graph.py"), *map(str, words), "--home", str(home)]
        self.seen = ""
        self._child: Any = pexpect.spawn(
            sys.executable,
            command,
            cwd=str(home.parent),
            env=environment() | {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | variables,
            dimensions=(50, columns),
            timeout=DEADLINE_S,
            encoding="utf-8",
            codec_errors="replace",
        )
        self._child.delaybeforesend = None
        self._child.logfile_read = self

    @property
    def pid(self) -> int:
        return int(self._child.pid)

    @property
    def plain(self) -> str:
        """What a person has read: no escapes."""
        return ESCAPES.sub("", self.seen).replace("\r", "")

    def write(self, text: str) -> None:
        """For pexpect: it was sent this."""
        self.seen += text
        for _ in range(text.count("\x1b[6n")):
            self._child.send("\x1b[47;1R")

    def flush(self) -> None:
        """For pexpect."""

    def see(self, text: str) -> None:
        """Wait until it is sent `text`, on one line and in one style."""
        self._child.expect_exact(text)

    def ready(self) -> None:
        """Wait for the next prompt: before it, keys are the terminal's own."""
        self.see("\x1b[?2004h")

    def send(self, keys: str) -> None:
        self._child.send(keys)

    def type(self, line: str) -> None:
        self._child.send(f"{line}\r")

    def resize(self, columns: int) -> None:
        self._child.setwinsize(50, columns)

    def hang_up(self) -> None:
        """Close the terminal, as when its window is closed."""
        self._child.ptyproc.fileobj.close()
        self._child.closed = True

    def signal(self, number: int) -> None:
        self._child.kill(number)

    def ended(self) -> int:
        """Wait for the end; the exit code, or minus the signal that ended it."""
        if not self._child.closed:
            self._child.expect(pexpect.EOF)
        self._child.ptyproc.wait()
        code, number = self._child.ptyproc.exitstatus, self._child.ptyproc.signalstatus
        return int(code) if number is None else -int(number)

    def close(self) -> None:
        if self._child.ptyproc.isalive():
            self._child.ptyproc.kill(9)
            self._child.ptyproc.wait()
