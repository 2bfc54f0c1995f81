"""Delivers in a process that ends itself with SIGKILL at the n-th thing it does to the world.

    python delivery_worker.py N HOME CAMPAIGN branch|push|files [REMOTE]

A thing is a command that is started, a file that is renamed or removed, and a write transaction of the ledger.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from graph.delivery import open_delivery
from memory.state_folder import StateFolder

THINGS = {"subprocess.Popen", "os.rename", "os.remove"}


class Countdown:
    def __init__(self, left: int) -> None:
        self.left = left
        self.seen = 0

    def count(self) -> None:
        self.seen += 1
        if self.seen == self.left:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, _: tuple[Any, ...]) -> None:
        if event in THINGS:
            self.count()


def main(left: str, home: str, campaign: str, how: str, *more: str) -> None:
    state = StateFolder(Path(home), embedding_model="hash")
    countdown = Countdown(int(left))
    with state.open_ledger() as ledger:
        sys.addaudithook(countdown.audit)
        sa.event.listen(sa.Engine, "commit", lambda _: countdown.count())
        delivery = open_delivery(state, ledger, ledger.campaign(campaign))
        if how == "branch":
            delivery.branch("Make it faster\n")
        elif how == "push":
            delivery.push(more[0], "Make it faster\n")
        else:
            delivery.files()
    print(countdown.seen)


if __name__ == "__main__":
    main(*sys.argv[1:])
