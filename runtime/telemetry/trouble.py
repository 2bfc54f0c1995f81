"""What OpenTelemetry complains of, told once: a collector that is away would otherwise fill the screen."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

__all__ = ["Trouble"]

LOGGER = "opentelemetry"
MAX_CHARS = 200


class Trouble(logging.Handler):
    """Tells the first trouble, and counts all.  `seen` is set by each warning of the SDK, and may be cleared."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.seen = threading.Event()
        self.count = 0
        self._tell = tell
        self._logger = logging.getLogger(LOGGER)

    def listen(self) -> None:
        """From now on nothing of the SDK's reaches the screen on another way."""
        self._logger.addHandler(self)
        self._logger.propagate = False

    def say(self, text: str) -> None:
        """Tell it, if it is the first."""
        self.count += 1
        if self.count == 1:
            line = " ".join(text.split())
            self._tell(line if len(line) <= MAX_CHARS else f"{line[:MAX_CHARS]}…")

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.set()
        self.say(record.getMessage())
