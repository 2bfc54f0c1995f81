"""Asking the person at this terminal while a campaign runs: the question on stderr, the answer as a line from stdin."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable

from core.approvals import Answer, Approval
from core.errors import RatchetError
from memory.approvals import Approvals
from service.approving import Typed, answer_from, help_line, lines, read_typed
from service.editing import edit_config
from service.escape import escaped
from service.output import Output
from service.policy import local_context

__all__ = ["AtTerminal", "somebody_is_here"]

DOOR = "terminal"
CHUNK = 4096


def somebody_is_here() -> bool:
    """Whether a person sees stderr and types into stdin."""
    try:
        return sys.stdin.isatty() and sys.stderr.isatty()
    except (AttributeError, ValueError):  # closed
        return False


class AtTerminal:
    """`approvals` checks what was edited.

    `hold(True)` is called while a question stands on the screen: nothing else may move there.
    Lines come from the terminal's own line editing, and are read when they are whole: so waiting for one can be given
    up at any time, when the question is answered elsewhere.
    """

    def __init__(self, output: Output, approvals: Approvals, hold: Callable[[bool], None]) -> None:
        self._output = output
        self._approvals = approvals
        self._hold = hold
        self._by = local_context().actor
        self._descriptor = sys.stdin.fileno()
        self._typed = b""
        self._shown = ""

    async def ask(self, asked: Approval) -> Answer | None:
        self._hold(True)
        try:
            if self._shown != asked.id:
                self._shown = asked.id
                self._talk("\n".join(["", *lines(asked, shutil.get_terminal_size().columns)]))
                self._talk(help_line(asked))
            while True:
                self._output.talk("> ")
                text = await self._line()
                if text is None:
                    self._talk("")
                    return None
                try:
                    typed = read_typed(text, asked)
                    answer = self._edited(asked) if typed.wish == "editor" else typed.answer
                except RatchetError as error:
                    self._output.error(error)
                    continue
                if answer is not None:
                    return answer.model_copy(update={"by": self._by, "door": DOOR})
                if typed.wish == "park":
                    return None
                self._talk(self._says(typed, asked))
        finally:
            self._hold(False)

    def refused(self, error: RatchetError) -> None:
        self._output.error(error)

    def closed(self, asked: Approval) -> None:
        answer = asked.answer
        if answer is None:
            self._talk(f"\n{asked.id} has expired: {asked.without_answer}")
        else:
            self._talk(f"\n{asked.id} was answered: {answer.kind} by {answer.by} ({answer.door})")

    def _says(self, typed: Typed, asked: Approval) -> str:
        if typed.wish == "nothing":
            return f"this is of {asked.tier} risk: an empty line says nothing\n{help_line(asked)}"
        return help_line(asked)

    def _edited(self, asked: Approval) -> Answer:
        """The answer from the editor, which has the terminal to itself while it is open."""
        taken: list[Answer] = []
        edit_config(
            asked, lambda config: taken.append(self._approvals.checked(asked, answer_from("edit", config=config)))
        )
        return taken[0]

    async def _line(self) -> str | None:
        """The next line; None at the end of input."""
        loop = asyncio.get_running_loop()
        while b"\n" not in self._typed:
            readable = asyncio.Event()
            loop.add_reader(self._descriptor, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(self._descriptor)
            try:
                chunk = os.read(self._descriptor, CHUNK)
            except OSError:  # the terminal has gone
                return None
            if not chunk:
                return None
            self._typed += chunk
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode("utf-8", "replace")

    def _talk(self, text: str) -> None:
        self._output.talk(self._output.at_home(escaped(text)) + "\n")
