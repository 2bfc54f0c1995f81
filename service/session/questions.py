"""Questions of a running campaign to the person in this session.

The question is shown, and stays open; its answer is a command like any other, kept in the ledger, where the campaign
finds it.  So it does not matter through which door it comes, and the prompt is never taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from core.approvals import Answer, Approval
from core.errors import RatchetError
from service.approving import lines
from service.escape import escaped
from service.session.output import SessionOutput

__all__ = ["DOOR", "Questions", "answers_line"]

DOOR = "session"


class Questions:
    """`open` is what was shown last and is not closed yet; read it on any thread."""

    def __init__(self, output: SessionOutput, notice: Callable[[str], None]) -> None:
        self._output = output
        self._notice = notice
        self.open: Approval | None = None

    async def ask(self, asked: Approval) -> Answer | None:
        """Show it, and wait until it is closed: whoever asked looks into the ledger meanwhile, and cancels this."""
        if self.open is None or self.open.id != asked.id:
            shown = "\n".join(lines(asked, self._output.look().width - 1))
            self._output.talk(f"\n{escaped(shown)}\n{answers_line(asked)}\n")
        self.open = asked
        self._notice(f"{asked.id} waits ({asked.tier} risk): {answers_line(asked)}")
        try:
            await asyncio.Event().wait()
        finally:
            self.open = None
            self._notice("")
        return None

    def refused(self, error: RatchetError) -> None:
        self._output.error(error)

    def closed(self, asked: Approval) -> None:
        """Say so, unless it was answered here."""
        if asked.answer is None:
            self._output.say(escaped(f"{asked.id} has expired: {asked.without_answer}"))
        elif asked.answer.door != DOOR:
            answer = asked.answer
            self._output.say(
                escaped(f"{asked.id} was answered elsewhere: {answer.kind} by {answer.by} ({answer.door})")
            )


def answers_line(asked: Approval) -> str:
    """The answers it takes, as they are typed in the session."""
    told = {
        "accept": "a [campaign|project]",
        "edit": "e [key=value …]",
        "respond": "r TEXT",
        "ignore": "i [REASON]",
    }
    return " · ".join(told[kind] for kind in asked.allowed)
