"""The prompt: line editing, history, completion and the bar below it, by prompt_toolkit."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

from service.session.blocks import fitted
from service.session.look import Look, ascii_text
from service.session.screen import Screen

__all__ = ["Prompt"]

REFRESH_S = 0.5
MAX_HISTORY_BYTES = 1_000_000
MAX_CHARACTERS = 20_000
"""Of one line; prompt_toolkit draws all of it at each key."""


class Prompt:
    """`line` asks; `end`, from a signal handler or any thread, ends the asking.

    `bar` gives the rows below the line, `interrupted` is called for Ctrl-C on an empty one.
    """

    is_terminal = True

    def __init__(
        self,
        screen: Screen,
        *,
        history: Path,
        completer: Completer,
        bar: Callable[[], list[str]],
        look: Callable[[], Look],
        interrupted: Callable[[], None],
    ) -> None:
        self._screen = screen
        self._bar, self._look = bar, look
        self._ended = False
        color = ColorDepth.DEFAULT if look().color else ColorDepth.MONOCHROME
        output = Vt100_Output.from_pty(sys.__stdout__, term=os.environ.get("TERM"))  # type: ignore[arg-type]
        self._session: PromptSession[str] = PromptSession(
            "> ",
            history=PrivateHistory(history),
            enable_history_search=True,
            completer=completer,
            complete_while_typing=False,
            bottom_toolbar=self._toolbar,
            refresh_interval=REFRESH_S,
            key_bindings=_keys(interrupted),
            color_depth=color,
            input=create_input(sys.__stdin__),
            output=output,
        )

        # a terminal that does not tell where its cursor is has no bar, and no warning about it either
        self._session.app.renderer.cpr_not_supported_callback = None

    def line(self) -> str | None:
        """The next line; None at the end of input, when the terminal has gone, and after `end`."""
        if self._ended:
            return None
        try:
            text = self._session.prompt(pre_run=lambda: self._screen.opened(self._session.app))
            return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode()
        except (EOFError, KeyboardInterrupt, OSError):
            return None
        finally:
            self._screen.vanished()

    def end(self) -> None:
        self._ended = True
        app = self._session.app
        loop = app.loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it closes just now
                loop.call_soon_threadsafe(_leave, app)

    def close(self) -> None:
        """Nothing is open between two lines."""

    def _toolbar(self) -> str:
        look = self._look()
        rows = [row if look.unicode else ascii_text(row) for row in self._bar()[:3]]
        return "".join(fitted(row, "", look) for row in rows).rstrip("\n")


class PrivateHistory(FileHistory):
    """For the user's eyes only; kept when its folder is there, and not without bound."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        with contextlib.suppress(OSError):
            if path.stat().st_size > MAX_HISTORY_BYTES:
                path.replace(path.with_suffix(".old"))

    def store_string(self, string: str) -> None:
        with contextlib.suppress(OSError):
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
            super().store_string(string.encode("utf-8", "replace").decode())


def _keys(interrupted: Callable[[], None]) -> KeyBindings:
    keys = KeyBindings()

    @keys.add("c-c")
    @keys.add("<sigint>")
    def interrupt(event: KeyPressEvent) -> None:
        """Clear the line; on an empty one, ask the campaign to stop."""
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            interrupted()

    return keys


def _leave(app: Any) -> None:
    with contextlib.suppress(Exception):  # it was answered at this very moment
        app.exit(exception=EOFError())
