"""Completion at the prompt, from memory: no file is looked at while a person types."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from service.escape import escaped
from service.session.words import BY_NAME, WORDS

__all__ = ["Paths", "WordCompleter"]

TAKING_PATHS = ("run", "open", "feedback", "save")
TAKING_IDS = ("why", "show", "logs", "compare", "open", "drop", "resume", "status", "history", "inbox", "edit")
ENDINGS = (".yaml", ".yml", ".py", ".html")
MOST_PATHS = 2000
DEPTH = 3
MOST_SHOWN = 50


class Paths:
    """The files below the folder that one stands in, as they were when `look` was last called."""

    def __init__(self) -> None:
        self.known: tuple[str, ...] = ()

    def look(self) -> None:
        """Look again, on a thread of its own."""
        threading.Thread(target=self._look, name="paths for completion", daemon=True).start()

    def _look(self) -> None:
        found: list[str] = []
        for folder, folders, files in os.walk("."):
            depth = len(Path(folder).parts)
            folders[:] = [] if depth >= DEPTH else sorted(f for f in folders if not f.startswith((".", "__")))
            found += [os.path.normpath(str(Path(folder) / name)) for name in sorted(files) if name.endswith(ENDINGS)]
            if len(found) > MOST_PATHS:
                break
        self.known = tuple(found[:MOST_PATHS])


class WordCompleter(Completer):
    """Commands at the beginning of a line; then ids and paths, by what the command takes."""

    def __init__(self, paths: Paths, ids: Callable[[], Iterable[str]]) -> None:
        self._paths = paths
        self._ids = ids

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002
        before = document.text_before_cursor.lstrip()
        first, space, rest = before.partition(" ")
        slash = "/" if first.startswith("/") else ""
        if not space:
            typed = first.removeprefix("/").lower()
            for word in WORDS:
                if word.name.startswith(typed):
                    yield Completion(f"{slash}{word.name} ", -len(first), display=word.name, display_meta=word.does)
            return
        command, typed = BY_NAME.get(first.removeprefix("/").lower(), ""), rest.rpartition(" ")[2]
        offered: list[str] = []
        if command in TAKING_IDS:
            offered += self._ids()
        if command in TAKING_PATHS:
            offered += self._paths.known
        matching = [name for name in dict.fromkeys(offered) if name.startswith(typed) and escaped(name) == name]
        for name in matching[:MOST_SHOWN]:
            yield Completion(name, -len(typed))
