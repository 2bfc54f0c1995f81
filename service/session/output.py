"""What a session says: the answers of many commands, where a call of the command line has one."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Mapping
from typing import Any, TextIO

from service.output import Output
from service.session.look import Look, ascii_text, knows_unicode

__all__ = ["SessionOutput"]


class SessionOutput(Output):
    """Lines of several threads do not mix.  Without Unicode all text is spelled in ASCII.

    As a stream of JSON each answer is a record of type `answer`; as one object, the answers are a list in it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.command = ""
        self.fits = False
        """Whether lines are cut to the terminal's width."""
        self._lock = threading.RLock()
        self._spelled = self.mode == "text" and not knows_unicode(os.environ)
        self._answers: list[Mapping[str, Any]] = []

    @classmethod
    def of(cls, args: argparse.Namespace) -> SessionOutput:
        made = cls.from_args(args)
        assert isinstance(made, cls)
        made.fits, made.moving = made.moving, False  # the prompt's bar moves in its place
        return made

    def look(self) -> Look:
        """How things can be shown now: a terminal may have been resized."""
        return Look.of_terminal(color=self.color)

    def end(self, code: int) -> None:
        """The last line of the stream, or the one object."""
        if self.mode == "stream":
            super()._answer({"exit_code": code})
        elif self.mode == "json":
            super()._answer({"answers": self._answers, "exit_code": code})

    def _answer(self, value: Mapping[str, Any]) -> None:
        told = {"command": self.command, **value}
        if isinstance(resume := told.get("resume"), str):
            told["resume"] = self.at_home(resume)
        if self.mode == "stream":
            self.record({"type": "answer", **told})
        else:
            self._answers.append(told)

    def _write(self, stream: TextIO, text: str) -> None:
        with self._lock:
            super()._write(stream, ascii_text(text) if self._spelled else text)
