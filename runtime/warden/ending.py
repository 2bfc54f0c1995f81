"""How a command ended that nobody ended: from its exit, and from what it printed."""

from __future__ import annotations

import signal

from runtime.keeper.reason import describe_exit

__all__ = ["Ending", "conclude"]

Ending = tuple[str, str, int | None, int | None]
"""(how it ended, why in words, exit code, signal); of the last two one is None, or both where it never began."""

NOT_STARTED = b"bwrap: execvp "


def conclude(exit_code: int | None, stderr: bytes, *, shell: bool) -> Ending:
    """`exit_code` is negative for a signal; with `shell` it is 128 and the signal, as shells and bubblewrap say it."""
    if exit_code is None:
        return "signal", "", None, None
    if shell and exit_code == 1 and stderr.startswith(NOT_STARTED):
        return "start", stderr.decode("utf-8", "replace").removeprefix(NOT_STARTED.decode()).strip(), None, None
    number = exit_code - 128 if shell and 128 < exit_code <= 128 + signal.NSIG else -exit_code
    if number <= 0:
        return "exit", describe_exit(exit_code, stderr) if exit_code else "", exit_code, None
    ended, reason = {
        signal.SIGXCPU: ("cpu", "used more processor time than its limit"),
        signal.SIGXFSZ: ("disk", "wrote a file larger than its limit"),
    }.get(number, ("signal", describe_exit(-number, stderr)))  # type: ignore[call-overload]
    return ended, reason, None, number
