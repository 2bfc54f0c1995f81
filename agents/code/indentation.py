"""Indentation of quoted lines carried over to the lines of a file that they match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from agents.code.lines import indent_of

__all__ = ["Reindentation"]


class Reindentation:
    """Learned from pairs (quoted line, line of the file); changes new lines in the same way.

    `fault` tells why it cannot be done: one depth of the quote stands at several depths of the file, or deeper lines
    of the quote stand less deep.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], quoted: Sequence[str], lines: Sequence[str]) -> None:
        self._known: dict[str, str] = {}
        self.fault = ""
        for said, real in pairs:
            indent = indent_of(real)
            if self._known.setdefault(indent_of(said), indent) != indent:
                self.fault = "lines of one indentation stand at several indentations in the file"
        widths = sorted((_width(said), _width(real)) for said, real in self._known.items())
        if any(after[1] < before[1] for before, after in pairwise(widths)):
            self.fault = self.fault or "the nesting of the lines is another one in the file"
        self._from, self._to = _unit(quoted), _unit(lines)
        if any(said and said == real for said, real in self._known.items()):
            self._to = self._from  # the depths agree, so the quote is written in the file's own units

    def line(self, text: str) -> str:
        """The line as it stands in the file.  Raises ValueError when it would stand left of the margin."""
        body = text.lstrip(" \t")
        if not body:
            return ""
        indent = indent_of(text)
        if indent in self._known:
            return self._known[indent] + body
        outer = [known for known in self._known if indent.startswith(known)]
        if outer:
            nearest = max(outer, key=len)
            return self._known[nearest] + self._scaled(indent[len(nearest) :]) + body
        if not self._known:
            return text
        nearest = min(self._known, key=_width)
        width = _width(indent) + _width(self._known[nearest]) - _width(nearest)
        if width < 0:
            raise ValueError("a new line would stand left of the margin")
        tabs = "\t" in self._known[nearest]
        return ("\t" * (width // 8) if tabs and width % 8 == 0 else " " * width) + body

    def _scaled(self, indent: str) -> str:
        steps, rest = divmod(_width(indent), _width(self._from))
        return indent if self._from == self._to or rest else self._to * steps


def _width(indent: str) -> int:
    return len(indent.expandtabs(8))


def _unit(lines: Sequence[str]) -> str:
    """The commonest step from a line to a deeper one; four blanks if there is none."""
    indents = [indent_of(line) for line in lines if line.strip()]
    steps = Counter(
        inner[len(outer) :] for outer, inner in pairwise(indents) if inner != outer and inner.startswith(outer)
    )
    return min(steps, key=lambda step: (-steps[step], len(step))) if steps else "    "
