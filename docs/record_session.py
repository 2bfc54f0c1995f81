"""Record the first minutes of a session: `python docs/record_session.py [CAMPAIGN_FOLDER] [OUT]`.

A real session is opened in a pseudo-terminal, a person's lines are typed into it, and what stands on the screen in the
end is written as text, with the second at which each line was typed.  `first-five-minutes.txt` was made by it.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLUMNS, ROWS = 100, 30
DEADLINE_S = 300.0
PROMPT = "\x1b[?2004h"
"""What is sent when the prompt can be typed into."""

SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([@-~])|\x1b[@-Z\\^_]")


class Page:
    """A terminal's page without end: what was written where.  Knows the sequences that prompt_toolkit sends."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.lines: list[list[str]] = [[]]
        self._row = self._column = 0
        self._wraps = True
        self._rest = ""

    def write(self, text: str) -> None:
        text, place = self._rest + text, 0
        self._rest = ""
        while place < len(text):
            if text[place] == "\x1b":
                found = SEQUENCE.match(text, place)
                if found is None:
                    self._rest = text[place:]
                    return
                self._move(found[1], found[2] or "")
                place = found.end()
            else:
                self._put(text[place])
                place += 1

    def text(self) -> list[str]:
        return ["".join(line).rstrip() for line in self.lines]

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._go(self._row + 1)
        elif character == "\b":
            self._column = max(0, self._column - 1)
        elif character >= " ":
            if self._column >= self.columns:
                if self._wraps:
                    self._column = 0
                    self._go(self._row + 1)
                else:
                    self._column = self.columns - 1
            line = self.lines[self._row]
            line.extend(" " * (self._column + 1 - len(line)))
            line[self._column] = character
            self._column += 1

    def _move(self, numbers: str, letter: str) -> None:
        count = int(numbers) if numbers.isdigit() else 1
        if letter == "A":
            self._row = max(0, self._row - count)
        elif letter == "B":
            self._go(self._row + count)
        elif letter == "C":
            self._column = min(self.columns - 1, self._column + count)
        elif letter == "D":
            self._column = max(0, self._column - count)
        elif letter in "JK":
            del self.lines[self._row][self._column :]
            if letter == "J":
                del self.lines[self._row + 1 :]
        elif numbers == "?7":
            self._wraps = letter == "h"

    def _go(self, row: int) -> None:
        while len(self.lines) <= row:
            self.lines.append([])
        self._row = row


class Recorder:
    """A session in `folder`; `type` waits for the prompt, `see` for a text."""

    def __init__(self, folder: Path) -> None:
        self.page = Page(COLUMNS)
        self.typed: list[tuple[float, str]] = []
        self._began = time.monotonic()
        self._unseen = ""
        self._terminal, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        dropped = ("NO_COLOR", "CI", "COLUMNS", "LC_ALL", "LC_CTYPE")
        kept = {name: value for name, value in os.environ.items() if name not in dropped}
        self._process = subprocess.Popen(  # noqa: S603  # the program itself
            [sys.executable, str(ROOT / "run_graph.py")],
            cwd=folder,
            env=kept | {"TERM": "xterm-256color", "LANG": "C.UTF-8", "LOGNAME": "ada"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def see(self, text: str) -> None:
        """Wait until `text` is sent.  Raises TimeoutError, EOFError."""
        while text not in self._unseen:
            self._read()
        self._unseen = self._unseen.partition(text)[2]

    def type(self, line: str) -> None:
        self.typed.append((time.monotonic() - self._began, line))
        os.write(self._terminal, f"{line}\r".encode())

    def end(self) -> int:
        """The exit code, when the session has ended."""
        try:
            while True:
                self._read()
        except EOFError:
            return self._process.wait()

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        os.close(self._terminal)

    def _read(self) -> None:
        left = self._began + DEADLINE_S - time.monotonic()
        if left <= 0 or not select.select([self._terminal], [], [], left)[0]:
            raise TimeoutError(f"nothing more came; the end was {self._unseen[-300:]!r}")
        try:
            told = os.read(self._terminal, 65536).decode("utf-8", "replace")
        except OSError:
            told = ""
        if not told:
            raise EOFError
        for _ in range(told.count("\x1b[6n")):
            os.write(self._terminal, f"\x1b[{ROWS - 3};1R".encode())  # the cursor is near the bottom, as it soon is
        self.page.write(told)
        self._unseen = (self._unseen + told)[-20_000:]


def record(campaign: Path, guidance: str) -> list[str]:
    """The lines of the recording.  Raises TimeoutError, EOFError and RuntimeError when the session does not go on."""
    with tempfile.TemporaryDirectory(prefix="first-five-minutes-") as place:
        shutil.copytree(campaign, Path(place) / campaign.name, ignore=shutil.ignore_patterns("__pycache__", "*.log"))
        recorder = Recorder(Path(place))
        try:
            recorder.see(PROMPT)
            for line, sign in lines_of(campaign.name, guidance):
                recorder.type(line)
                recorder.see(sign)
                recorder.see(PROMPT)
            recorder.type("quit")
            code = recorder.end()
        finally:
            recorder.close()
        if code != 0:
            raise RuntimeError(f"the session ended with {code}")
        return list(timed(recorder, place))


def lines_of(name: str, guidance: str) -> Iterator[tuple[str, str]]:
    """What is typed, and what is then waited for."""
    yield f"open {name}", "a campaign of kind"
    yield "set noise.verdict_pairs 3", "noise.verdict_pairs is 3"
    yield "set council.jobs_per_cycle 2", "council.jobs_per_cycle is 2"
    yield "run 2", "campaign   "
    yield guidance, "queued for"
    yield "status", "since"
    yield "wait", "report: "
    yield "guidance", "used"
    yield "best", "config"
    yield "why d1", "voter"
    yield "compare", "baseline"
    yield "trend", "first"
    yield "agents", "mean credit"


def timed(recorder: Recorder, place: str) -> Iterator[str]:
    """The page, with the second at which each line was typed."""
    yield "   0.0s  $ python run_graph.py"
    waiting, blank = list(recorder.typed), False
    for line in recorder.page.text():
        shown = line.replace(place, "~/project")
        if waiting and shown == f"> {waiting[0][1]}":
            yield f"{waiting.pop(0)[0]:6.1f}s  {shown}"
        elif shown and shown != ">":
            if blank:
                yield ""
            yield f"{'':9}{shown}"
        blank = not shown


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("campaign", nargs="?", type=Path, default=ROOT / "campaigns" / "breast_cancer")
    options.add_argument("out", nargs="?", type=Path, default=ROOT / "docs" / "first-five-minutes.txt")
    options.add_argument("--guidance", default="keep learning_rate below 0.01, and try mlp first")
    given = options.parse_args()
    lines = record(given.campaign.resolve(), given.guidance)
    head = (
        f"# A session in a terminal of {COLUMNS} columns, recorded by docs/record_session.py; rules decide, no model."
    )
    given.out.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
