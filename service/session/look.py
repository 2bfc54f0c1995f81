"""How the terminal can show things: its width, whether it has colour, and whether it knows more than ASCII."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Look", "ascii_text", "knows_unicode"]

MIN_WIDTH, MAX_WIDTH = 60, 200

SPELLED = {
    "±": "+-", "–": "-", "—": "-", "−": "-", "…": "...", "→": "->", "←": "<-", "·": "-", "×": "x", "≥": ">=", "≤": "<=",
    "“": '"', "”": '"', "‘": "'", "’": "'", "σ": "sigma", "τ": "tau", "²": "2", "µ": "u", "█": "#",
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """`width` in columns."""

    width: int = 80
    color: bool = False
    unicode: bool = True

    @classmethod
    def of_terminal(cls, *, color: bool, environment: Mapping[str, str] = os.environ) -> Look:
        """As the terminal is now; elsewhere 80 columns, or COLUMNS."""
        columns = shutil.get_terminal_size().columns
        return cls(min(max(columns, MIN_WIDTH), MAX_WIDTH), color, knows_unicode(environment))


def knows_unicode(environment: Mapping[str, str]) -> bool:
    """Whether the locale is a UTF-8 one.

    Python itself sets LC_CTYPE to C.UTF-8 where the locale is C (PEP 538); that says nothing about the terminal.
    """
    told = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or "C"
    coerced = told == "C.UTF-8" and not environment.get("LC_ALL") and environment.get("LANG", "C") in ("", "C", "POSIX")
    return not coerced and "utf8" in told.lower().replace("-", "")


def ascii_text(text: str) -> str:
    """`text` in ASCII: what has a spelling is spelled, the rest is written as `\\u…`."""
    if text.isascii():
        return text
    spelled = "".join(SPELLED.get(character, character) for character in text)
    return spelled.encode("ascii", "backslashreplace").decode("ascii")
