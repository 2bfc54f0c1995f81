"""On a terminal: a line that moves, within the width, and no colour where NO_COLOR says so."""

from __future__ import annotations

import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

from command_line import DEADLINE_S, ROOT, environment

COLUMNS = 60


def on_terminal(words: list[str], **variables: str) -> str:
    """What a narrow terminal is sent."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run_graph.py"), *words],
        env=environment() | {"TERM": "xterm-256color"} | variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    sent = b""
    try:
        while select.select([ours], [], [], DEADLINE_S)[0]:
            try:
                sent += os.read(ours, 65536)
            except OSError:  # the other end was closed
                break
        assert process.wait(timeout=DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return sent.decode()


def test_lines_fit_and_one_moves(tiny: Path, tmp_path: Path) -> None:
    sent = on_terminal(["run", str(tiny), "--cycles", "1", "--home", str(tmp_path / "home")])
    assert "\r\x1b[2K" in sent
    assert "\x1b[32m" in sent
    assert "0/1 cycles" in sent
    for line in re.split(r"\r\n|\r\x1b\[2K", sent):
        assert len(re.sub(r"\x1b\[\d*m", "", line)) <= COLUMNS or line.startswith("report: "), line


def test_no_color_and_plain(tiny: Path, tmp_path: Path) -> None:
    words = ["run", str(tiny), "--cycles", "1", "--home", str(tmp_path / "home")]
    assert not re.search(r"\x1b\[\d*m", on_terminal(words, NO_COLOR="1"))
    assert "\x1b" not in on_terminal([*words, "--plain", "--new"])
