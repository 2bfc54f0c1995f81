"""One line for a person: why a job failed, from its exit and from what it printed to stderr."""

from __future__ import annotations

import re
import signal

__all__ = ["describe_exit", "last_words", "one_line"]

REASON_CHARACTERS = 300
TERMINAL_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def describe_exit(exit_code: int, stderr_tail: bytes) -> str:
    """Such as `exit code 1: ValueError: no such kernel` or `killed by SIGSEGV`.  Negative: the signal's number."""
    words = last_words(stderr_tail)
    if exit_code >= 0:
        how = f"exit code {exit_code}"
    else:
        try:
            how = f"killed by {signal.Signals(-exit_code).name}"
        except ValueError:
            how = f"killed by signal {-exit_code}"
    return one_line(f"{how}: {words}" if words else f"{how}, nothing on stderr")


def last_words(stderr_tail: bytes) -> str:
    """The exception line of the last traceback, else the last line that is not empty."""
    text = TERMINAL_SEQUENCE.sub("", stderr_tail.decode("utf-8", "replace"))
    lines = [line.rstrip().rpartition("\r")[2] for line in text.split("\n")]
    for start in range(len(lines) - 1, -1, -1):
        if lines[start].startswith("Traceback (most recent call last)"):
            for line in lines[start + 1 :]:
                if line and not line[0].isspace():
                    return line
            break
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def one_line(text: str) -> str:
    """`text` on one line, what is not printable shown by its escape, and cut to a readable length."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
    return shown if len(shown) <= REASON_CHARACTERS else shown[: REASON_CHARACTERS - 1] + "…"
