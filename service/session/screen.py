"""The terminal above the prompt: whatever any thread writes appears there whole lines at a time, and none is lost.

While a prompt is open, prompt_toolkit takes it away, the text is written, and it draws the prompt again.  What comes
while a prompt opens or closes, or while an editor has the terminal, waits for the next who can write it.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from prompt_toolkit.application import Application

__all__ = ["Screen"]


class Screen(io.TextIOBase):
    """Stands in for stdout and stderr.  A terminal that has gone swallows what is written."""

    def __init__(self, terminal: TextIO) -> None:
        super().__init__()
        self._terminal = terminal
        self._lock = threading.RLock()
        self._waiting: list[str] = []
        self._app: Application[Any] | None = None
        self._asked = False
        self._held = False

    def write(self, text: str) -> int:
        with self._lock:
            self._waiting.append(text)
            if self._held:
                return len(text)
            if self._app is None:
                self._write_out(whole_lines=False)
            elif "\n" in text and not self._asked:
                self._ask(self._app)
        return len(text)

    def flush(self) -> None:
        """Nothing: what is written is shown at once, or as soon as it can be."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Another program has the terminal: show nothing meanwhile."""
        with self._lock:
            self._held = True
        try:
            yield
        finally:
            with self._lock:
                self._held = False
                self._write_out(whole_lines=False)

    def opened(self, app: Application[Any]) -> None:
        """A prompt is on the screen."""
        with self._lock:
            self._app = app
            if any("\n" in text for text in self._waiting):
                self._ask(app)

    def vanished(self) -> None:
        """The prompt is gone."""
        with self._lock:
            self._app, self._asked = None, False
            self._write_out(whole_lines=False)

    def isatty(self) -> bool:
        return self._terminal.isatty()

    def fileno(self) -> int:
        return self._terminal.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._terminal.encoding

    def _ask(self, app: Application[Any]) -> None:
        """Have the prompt's own loop write what waits."""
        loop = app.loop
        if loop is None:
            return  # it closes just now, and `vanished` writes
        self._asked = True
        try:
            loop.call_soon_threadsafe(self._above)
        except RuntimeError:  # as above
            self._asked = False

    def _above(self) -> None:
        from prompt_toolkit.application import run_in_terminal

        run_in_terminal(self._lines)

    def _lines(self) -> None:
        with self._lock:
            self._asked = False
            if not self._held:
                self._write_out(whole_lines=True)

    def _write_out(self, *, whole_lines: bool) -> None:
        text = "".join(self._waiting)
        kept = ""
        if whole_lines:
            text, newline, kept = text.rpartition("\n")
            text += newline
        self._waiting = [kept] if kept else []
        if not text:
            return
        try:
            self._terminal.write(text)
            self._terminal.flush()
        except UnicodeEncodeError:  # a terminal that is not UTF-8
            encoding = self._terminal.encoding or "ascii"
            self._terminal.write(text.encode(encoding, "backslashreplace").decode(encoding))
            self._terminal.flush()
        except (OSError, ValueError):  # hung up, closed
            return
