"""Short names for long ids: d1, d2 … for proposals, j1, j2 … for jobs, in the order of appearance in this session.

Guidance has short ids of its own: g1, g2 …
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from core.events import AnyEvent, JobStarted, ProposalMade
from memory.history import History

__all__ = ["Names"]

LETTERS = {"p-": "d", "j-": "j"}
SHORT = re.compile(r"[dj][1-9]\d{0,8}")


class Names:
    """Given out on one thread and read on others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._short: dict[str, str] = {}
        self._whole: dict[str, str] = {}
        self._count = dict.fromkeys(LETTERS.values(), 0)

    def of(self, name: str) -> str:
        """The short name of a proposal or job; anything else as it is."""
        letter = LETTERS.get(name[:2])
        if letter is None:
            return name
        with self._lock:
            if name not in self._short:
                self._count[letter] += 1
                short = f"{letter}{self._count[letter]}"
                self._short[name], self._whole[short] = short, name
            return self._short[name]

    def whole(self, word: str) -> str:
        """The id behind a short name; any other word as it is."""
        return self._whole.get(word, word) if SHORT.fullmatch(word) else word

    def hear(self, event: AnyEvent) -> None:
        """Name what an event brings."""
        match event:
            case ProposalMade():
                self.of(event.proposal.id)
            case JobStarted():
                self.of(event.job_id)
            case _:
                pass

    def read(self, history: History) -> None:
        """Name everything of a history, oldest first."""
        jobs: Iterable[str] = history.jobs
        for number in sorted(history.cycles):
            for proposal in history.cycles[number].proposals:
                self.of(proposal)
        for job in jobs:
            self.of(job)

    def known(self) -> list[str]:
        """Every short name, the newest first."""
        with self._lock:
            return list(reversed(self._whole))
