"""Start the command: between fork and exec it gets its own session, its limits, and a tie to its keeper's life."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Mapping, Sequence

from runtime.keeper.tree import die_with_parent

__all__ = ["OOM_SCORE", "StartError", "default_signals", "explain", "launch"]

OOM_SCORE = 500


class StartError(Exception):
    """The command could not be started; the text says why."""


def launch(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    directory: int,
    stdout: int,
    stderr: int,
    file_bytes: int,
    tie: bool,
) -> int:
    """Run `command` in `directory` without a shell; returns its pid once it really runs.  Raises StartError."""
    answer, question = os.pipe()
    keeper = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            if tie:
                die_with_parent(keeper)
            default_signals()
            _limit(file_bytes)
            os.fchdir(directory)
            null = os.open(os.devnull, os.O_RDONLY)
            for descriptor, number in ((null, 0), (stdout, 1), (stderr, 2)):
                os.dup2(descriptor, number)
            os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 -- no shell is the point
        except OSError as error:
            os.write(question, str(error.errno).encode())
        except BaseException as error:  # noqa: BLE001 -- this copy of the keeper must never go on
            os.write(question, repr(error).encode())
        finally:
            os._exit(127)
    os.close(question)
    with open(answer, "rb") as file:
        failure = file.read().decode("utf-8", "replace")
    if failure:
        os.waitpid(pid, 0)
        raise StartError(explain(command[0], failure))
    return pid


def default_signals() -> None:
    """Python ignores some signals, and what is ignored stays ignored across exec."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _limit(file_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = file_bytes if most == resource.RLIM_INFINITY else min(file_bytes, most)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(str(OOM_SCORE))
    except OSError:  # not Linux, or already higher and not ours to lower
        pass


def explain(program: str, failure: str) -> str:
    """Why `program` did not start, in words; `failure` is the number of the error, or already words."""
    number = int(failure) if failure.isdigit() else 0
    return {
        errno.ENOENT: f"command not found: {program}",
        errno.EACCES: f"not executable: {program}",
        errno.ENOEXEC: f"not a program, and it has no #! line: {program}",
        errno.E2BIG: "the command line and the environment are too long",
    }.get(number, f"{program} did not start: {os.strerror(number) if number else failure}")
