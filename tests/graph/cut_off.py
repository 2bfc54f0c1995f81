"""Work done in a child process that ends itself with SIGKILL at the n-th thing it does to the world."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

THINGS = {"os.rename", "os.remove"}


class _Countdown:
    def __init__(self, left: int) -> None:
        self.left = left

    def count(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, _: tuple[Any, ...]) -> None:
        if event in THINGS:
            self.count()


def in_child(work: Callable[[], object]) -> int:
    """The pid of a child that does the work and ends: 0, or 1 where it raised."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException as error:  # noqa: BLE001  # told to whoever reads the output
        print(repr(error), file=sys.stderr)
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """How it ended: its exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed_everywhere(work: Callable[[], object]) -> Iterator[int]:
    """Do the work in a child that is killed at its first thing, in another at its second, and so on until one ends.

    A thing is a file that is renamed or removed, and a write transaction of the ledger.  `work` opens what it needs.
    """
    for left in range(1, 200):

        def counted(left: int = left) -> None:
            countdown = _Countdown(left)
            sys.addaudithook(countdown.audit)
            sa.event.listen(sa.Engine, "commit", lambda _: countdown.count())
            work()

        code = ended(in_child(counted))
        if code == 0:
            return
        assert code == -signal.SIGKILL, code
        yield left
    raise AssertionError("it does not end")
