"""Does something to a live service in a process that ends itself with SIGKILL at the n-th thing it does.

Reads lines `N ACT ID TARGET` (TARGET is JSON) from its standard input; each is done by a fork of its own, so that the
imports are paid for once.  Answers the number of things that an uninterrupted one did, or `killed`.

A thing is a file or folder that is made, linked, renamed, removed or opened for writing, and a connection.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from core.deployment import LiveTarget
from runtime.deployment import LiveService
from tests.runtime.deployment.running_service import YES, release

THINGS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "socket.connect"}


class Countdown:
    def __init__(self, left: int) -> None:
        self.left = left
        self.seen = 0

    def audit(self, event: str, details: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR)
        if event in THINGS or writes:
            self.seen += 1
            if self.seen == self.left:
                os.kill(os.getpid(), signal.SIGKILL)


def act(left: int, what: str, deployment_id: str, target: LiveTarget) -> int:
    live = LiveService(target)
    countdown = Countdown(left)
    if what == "deploy":
        plan = live.plan(release(2))
        sys.addaudithook(countdown.audit)
        live.deploy(plan, release(2), leave=YES)
    elif what == "promote":
        sys.addaudithook(countdown.audit)
        live.promote(deployment_id)
    elif what == "keep":
        sys.addaudithook(countdown.audit)
        live.keep(deployment_id)
    elif what == "recover":
        sys.addaudithook(countdown.audit)
        live.recover()
    else:
        sys.addaudithook(countdown.audit)
        live.roll_back(deployment_id, reason="killed in between")
    return countdown.seen


def main() -> None:
    for line in sys.stdin:
        left, what, deployment_id, target = line.split(" ", 3)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(
                    writing, str(act(int(left), what, deployment_id, LiveTarget.model_validate_json(target))).encode()
                )
            except BaseException as error:  # noqa: BLE001  # told to the test
                os.write(writing, f"failed: {error!r}".encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else said.replace("\n", " "), flush=True)


if __name__ == "__main__":
    main()
