"""The text of a file as bare lines, with what the lines do not tell: its ends of lines, its mark of byte order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.code.lines import bare_lines, joined, uses_crlf

__all__ = ["Content"]

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Content:
    """`text` gives back what `of` was given.  Lines of a file that ends all of them with `\\r\\n` have no `\\r`."""

    lines: Sequence[str]
    final_newline: bool = True
    crlf: bool = False
    mark: str = ""

    @classmethod
    def of(cls, text: str) -> Content:
        mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
        plain, crlf = text.removeprefix(mark), uses_crlf(text)
        if crlf:
            plain = plain.replace("\r\n", "\n")
        return cls(bare_lines(plain), plain.endswith("\n") or not plain, crlf, mark)

    @property
    def text(self) -> str:
        plain = joined(self.lines, final_newline=self.final_newline)
        return self.mark + (plain.replace("\n", "\r\n") if self.crlf else plain)

    def with_lines(self, lines: Sequence[str], final_newline: bool) -> Content:
        return replace(self, lines=lines, final_newline=final_newline)

    def with_text(self, text: str) -> str:
        """Another text with `\\n` in this one's manner."""
        return replace(self, lines=bare_lines(text), final_newline=text.endswith("\n")).text
