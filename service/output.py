"""stdout is data, stderr is talk.  One object knows how this call wants both."""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self, TextIO

from core.errors import RatchetError
from service.escape import escaped

__all__ = ["Output", "finite"]

Mode = Literal["text", "json", "stream"]
PROGRAM = "python run_graph.py"
STYLES = {"bad": "31", "good": "32", "strong": "1", "faint": "2"}


class Output:
    """Text for people, one JSON object, or JSON lines, on stdout; talk on stderr unless quiet.

    With JSON there is exactly one object, or in a stream first a `start` and last a `result`, however the call ends.
    A reader that goes away (`| head`) is no error: what is written afterwards is dropped, and `on_closed` is told.
    """

    def __init__(
        self,
        mode: Mode = "text",
        *,
        quiet: bool = False,
        verbose: bool = False,
        color: bool = False,
        moving: bool = False,
        home: str | None = None,
    ) -> None:
        self.mode = mode
        self.quiet = quiet
        self.verbose = verbose
        self.color = color
        self.moving = moving and mode == "text" and not quiet
        """Whether a line may move on stderr: a terminal that is not dumb."""
        self._program = f"{PROGRAM} --home {shlex.quote(home)}" if home else PROGRAM
        self.on_closed: Callable[[], None] = lambda: None
        self._closed = False
        self._begun = False
        self._answered = False

    @classmethod
    def from_words(cls, words: Sequence[str]) -> Output:
        """Before the words are parsed: only how an error must look."""
        return cls("json" if "--json" in words else "stream" if "--json-stream" in words else "text")

    @classmethod
    def from_args(cls, args: argparse.Namespace) -> Self:
        """As the global options, NO_COLOR, TERM and CI want it."""
        mode: Mode = "json" if args.json else "stream" if args.json_stream else "text"
        terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
        moving = terminal and not args.plain
        color = args.color == "always" or (
            args.color != "never" and moving and not os.environ.get("NO_COLOR") and mode == "text"
        )
        return cls(mode, quiet=bool(args.quiet), verbose=bool(args.verbose), color=color, moving=moving, home=args.home)

    def data(self, text: str) -> None:
        """Lines for stdout, in text mode only."""
        if self.mode == "text":
            self._write(sys.stdout, text + "\n")

    def result(self, value: Mapping[str, Any], text: str = "") -> None:
        """The answer: as JSON, as the last line of the stream, or as text."""
        if self.mode == "text":
            if text:
                self.data(self.at_home(text))
        else:
            self._answer(value)

    def start(self, **facts: Any) -> None:
        """The first line of the stream; later calls do nothing."""
        if self.mode == "stream" and not self._begun:
            self._begun = True
            self._json({"type": "start", **facts})

    def record(self, value: Mapping[str, Any]) -> None:
        """A line of the stream."""
        if self.mode == "stream":
            self.start()
            self._json(value)

    def say(self, text: str) -> None:
        """Talk, on stderr; nothing when quiet."""
        if not self.quiet:
            self.talk(self.at_home(text) + "\n")

    def talk(self, text: str) -> None:
        """Characters for stderr as they are."""
        self._write(sys.stderr, text)

    def paint(self, text: str, style: str) -> str:
        """`text` in a style (bad, good, strong, faint) where there is colour."""
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.color else text

    def error(self, error: RatchetError, **more: Any) -> None:
        """The three lines what, where, try; as JSON too, where JSON was asked for and no result was given yet."""
        if self.mode != "text" and not self._answered:
            told = {"what": error.what, "where": error.where, "try": error.hint, "exit_code": error.exit_code}
            self._answer({"error": told, **more})
            return
        lines = [f"{self.paint('error', 'bad')}  {escaped(error.what)}"]
        if error.where:
            lines.append(f"where  {escaped(error.where)}")
        if error.hint:
            lines.append(f"try    {self.at_home(escaped(error.hint))}")
        self.talk("\n".join(lines) + "\n")

    def at_home(self, text: str) -> str:
        """The commands that a text suggests, with the `--home` of this call: they can then be given as they stand."""
        return text.replace(PROGRAM, self._program)

    def _answer(self, value: Mapping[str, Any]) -> None:
        self._answered = True
        if isinstance(resume := value.get("resume"), str):
            value = {**value, "resume": self.at_home(resume)}
        if self.mode == "json":
            self._json(value, indent=2)
        else:
            self.start()
            self._json({"type": "result", **value})

    def _json(self, value: Mapping[str, Any], indent: int | None = None) -> None:
        text = json.dumps(finite(value), indent=indent, default=str, ensure_ascii=False, allow_nan=False)
        self._write(sys.stdout, text + "\n")

    def _write(self, stream: TextIO, text: str) -> None:
        try:
            stream.write(text)
            stream.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
            if not self._closed:
                self._closed = True
                self.on_closed()
        except UnicodeEncodeError:  # a terminal that is not UTF-8
            stream.write(text.encode(stream.encoding, "replace").decode(stream.encoding))
            stream.flush()


def finite(value: Any) -> Any:
    """Plain data without NaN and infinities, which are no JSON: null stands for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(v) for key, v in value.items()}
    return [finite(v) for v in value] if isinstance(value, list | tuple) else value
