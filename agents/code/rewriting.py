"""Carrying out a hunk at a place that differs from its quote: a three-way merge of quote, file and new text.

What the hunk keeps is taken from the file as it stands there, not from the quote.  What it removes must be in the file,
but for layout and comments; a line that differs otherwise is merged word by word, and a true conflict is refused:
whether the quote is wrong or the file has moved on cannot be known.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence

from agents.code.alignment import changes
from agents.code.fitting import Fit
from agents.code.indentation import Reindentation
from agents.code.lines import indent_of, squeezed
from agents.code.syntax import code_tokens
from agents.code.three_way import three_way

__all__ = ["DoesNotFitError", "rewrite"]

_WORDS = re.compile(r"\w+|\s+|.")


class DoesNotFitError(ValueError):
    """Why a hunk is not carried out at a place, as half a sentence."""


def rewrite(
    before: Sequence[str], after: Sequence[str], lines: Sequence[str], fit: Fit
) -> tuple[int, int, tuple[str, ...]]:
    """The stretch of `lines` that the hunk changes, as (start, end), and what it becomes.  Raises DoesNotFitError."""
    work = _Rewriting(before, after, lines, fit)
    start = work.at
    work.run()
    return start, work.at, tuple(work.out)


class _Rewriting:
    def __init__(self, before: Sequence[str], after: Sequence[str], lines: Sequence[str], fit: Fit) -> None:
        self.before, self.after, self.lines = before, after, lines
        self.spots = dict(fit.pairs)
        self.at = fit.start - self._blanks_before(fit.start, _leading_blanks(before))
        self.out: list[str] = []
        quoted = [(before[i], lines[j]) for i, j in fit.pairs if squeezed(before[i]) == squeezed(lines[j])]
        self.indentation = Reindentation(quoted, [*before, *after], lines)
        if self.indentation.fault:
            raise DoesNotFitError(self.indentation.fault)
        self.lost = _names(before) - _names(lines[fit.start : fit.end])

    def run(self) -> None:
        done = 0
        for i1, i2, j1, j2 in changes(self.before, self.after):
            self._keep(done, i1)
            removed = [i for i in range(i1, i2) if self.before[i].strip()]
            if removed:
                self._replace(i1, i2, removed, self.after[j1:j2])
            else:
                self._insert(i1, i2, self.after[j1:j2])
            done = i2
        self._keep(done, len(self.before))

    def _keep(self, first: int, last: int) -> None:
        """The file's own lines up to the last one that is paired with a quoted line of this stretch."""
        for i in range(first, last):
            if i in self.spots:
                self._copy(self.spots[i] + 1)

    def _copy(self, end: int) -> None:
        self.out += self.lines[self.at : end]
        self.at = max(self.at, end)

    def _replace(self, i1: int, i2: int, removed: list[int], new: Sequence[str]) -> None:
        if missing := [i for i in removed if i not in self.spots]:
            raise DoesNotFitError(f"the file has no line {self.before[missing[0]].strip()[:80]!r} there")
        spots = [self.spots[i] for i in removed]
        self._copy(spots[0] - self._blanks_before(spots[0], removed[0] - i1))
        unknown = [j for j in range(spots[0], spots[-1]) if self.lines[j].strip() and j not in spots]
        if unknown:
            strange = self.lines[unknown[0]].strip()[:80]
            raise DoesNotFitError(f"the file has {strange!r} between the lines to be replaced, line {unknown[0] + 1}")
        if all(_same(self.before[i], self.lines[j]) for i, j in zip(removed, spots, strict=True)):
            self.out += self._written(new)
        else:
            self.out += self._merged(removed, spots, new)
        self.at = spots[-1] + 1
        self._skip_blanks(i2 - 1 - removed[-1])

    def _merged(self, removed: list[int], spots: list[int], new: Sequence[str]) -> list[str]:
        """The replaced lines, each merged with the line that the file has in place of the quoted one."""
        texts = [line for line in new if line.strip()]
        odd = next(j for i, j in zip(removed, spots, strict=True) if not _same(self.before[i], self.lines[j]))
        if len(texts) != len(removed):
            real_line = self.lines[odd].strip()[:80]
            raise DoesNotFitError(f"the file reads {real_line!r} on line {odd + 1}, where lines are replaced")
        merged: list[str] = []
        for i, j, text in zip(removed, spots, texts, strict=True):
            said, real, wanted = (_WORDS.findall(line.strip()) for line in (self.before[i], self.lines[j], text))
            chunks = three_way(said, real, wanted)
            if any(chunk.kind == "conflict" for chunk in chunks):
                raise DoesNotFitError(
                    f"the file reads {self.lines[j].strip()[:80]!r} on line {j + 1}, which the quote has otherwise"
                )
            line = "".join(word for chunk in chunks for word in chunk.merged)
            merged += self._written([indent_of(text) + line])
        return merged

    def _insert(self, i1: int, i2: int, new: Sequence[str]) -> None:
        above = next((i for i in range(i1 - 1, -1, -1) if self.before[i].strip()), None)
        below = next((i for i in range(i2, len(self.before)) if self.before[i].strip()), None)
        for neighbour in (above, below):
            if neighbour is not None and neighbour not in self.spots:
                raise DoesNotFitError(f"the file has no line {self.before[neighbour].strip()[:80]!r} there")
        if above is not None and below is not None:
            between = self.lines[self.spots[above] + 1 : self.spots[below]]
            if any(line.strip() for line in between):
                raise DoesNotFitError("where lines are to be added, the file has others that the quote does not know")
        for _ in range(_trailing_blanks(self.before[:i1])):
            if self.at < len(self.lines) and not self.lines[self.at].strip():
                self._copy(self.at + 1)
        self.out += self._written(new)
        self._skip_blanks(i2 - i1)

    def _written(self, new: Sequence[str]) -> list[str]:
        if used := self.lost & _names(new):
            raise DoesNotFitError(f"the new lines use {min(used)!r}, which the file does not have there")
        try:
            return [self.indentation.line(line) for line in new]
        except ValueError as error:
            raise DoesNotFitError(str(error)) from None

    def _skip_blanks(self, most: int) -> None:
        while most > 0 and self.at < len(self.lines) and not self.lines[self.at].strip():
            self.at, most = self.at + 1, most - 1

    def _blanks_before(self, line: int, most: int) -> int:
        """How many blank lines stand directly above `line`, at most so many, and none that is done already."""
        count, floor = 0, getattr(self, "at", 0)
        while count < most and line - count > floor and not self.lines[line - count - 1].strip():
            count += 1
        return count


def _leading_blanks(lines: Sequence[str]) -> int:
    return next((at for at, line in enumerate(lines) if line.strip()), len(lines))


def _trailing_blanks(lines: Sequence[str]) -> int:
    return _leading_blanks(lines[::-1])


def _same(quoted: str, line: str) -> bool:
    """Whether two lines are the same code: equal but for layout, comments and the style of quotes."""
    if squeezed(quoted) == squeezed(line):
        return True
    tokens = code_tokens(quoted.strip())
    return bool(tokens) and tokens == code_tokens(line.strip())


def _names(lines: Sequence[str]) -> set[str]:
    tokens = {token for line in lines for token in code_tokens(line.strip()) or ()}
    return {token for token in tokens if token.isidentifier() and not keyword.iskeyword(token)}
