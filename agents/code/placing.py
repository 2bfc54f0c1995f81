"""Finding the place of a hunk: exactly, but for whitespace, by similarity, by name; refused where it is not sure.

A place counts only if it is the only one.  A diff made from this very file may single one out by its number of a line,
and any diff by its heading, which also forbids a place that is not below it.  Numbers of other diffs are not believed:
where the file has grown by a copy, they hit the copy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agents.code.anchors import NoDefinitionError, replace_definition
from agents.code.changes import Hunk
from agents.code.fitting import LEAST_SIMILARITY, Fit, fuzzy_fits, whitespace_fits
from agents.code.lines import canonical, indent_of, occurrences, squeezed
from agents.code.rewriting import DoesNotFitError, rewrite

__all__ = ["How", "Place", "find_place"]

How = Literal["exact", "whitespace", "fuzzy", "anchored", "whole"]
"""The way a change found its place; `whole` for a change of the whole file."""

MARGIN = 0.1
"""So much more similar must the best place be than any other."""
LEAST_LETTERS = 10
"""A quote shorter than this is searched for exactly only."""
_OPENING = re.compile(r"(?:async\s+)?(?:def|class)\b|@|if __name__")


@dataclass(frozen=True, slots=True)
class Place:
    """`lines[start:end]` become `new`; `similarity` in 0 … 1 of the quote to what stands there."""

    how: How
    start: int
    end: int
    new: tuple[str, ...]
    similarity: float = 1.0


def find_place(hunk: Hunk, lines: Sequence[str], *, stated: int | None = None, overwrite: bool = False) -> Place:
    """Where the hunk goes.  `stated` is the index of the line it claims for itself.

    Raises DoesNotFitError with what was missing at the last place that came into question.
    """
    if not hunk.before:
        if lines:
            raise DoesNotFitError("it quotes no line of the file, so its place is not known")
        return Place("exact", 0, 0, hunk.after)
    if starts := occurrences(hunk.before, lines):
        start = _only(starts, hunk, lines, stated)
        return Place("exact", start, start + len(hunk.before), hunk.after)
    if any(line.strip() for line in hunk.after) and occurrences(hunk.after, lines):
        raise DoesNotFitError("the new lines stand in the file already, and the old ones do not")
    if sum(len(squeezed(line)) for line in hunk.before) < LEAST_LETTERS:
        raise DoesNotFitError("the file does not hold its lines, and they are too few to look for something similar")
    try:
        return _similar_place(hunk, lines)
    except DoesNotFitError as reason:
        try:
            return Place("anchored", *replace_definition(hunk.before, hunk.after, lines, overwrite=overwrite))
        except NoDefinitionError:
            raise reason from None
        except DoesNotFitError as other:
            raise DoesNotFitError(f"{reason}; {other}") from None


def _similar_place(hunk: Hunk, lines: Sequence[str]) -> Place:
    how: How = "whitespace"
    fits = whitespace_fits(hunk.before, lines)
    if len(fits) > 1:
        fits = [
            fit for fit in fits if all(indent_of(hunk.before[i]) == indent_of(lines[j]) for i, j in fit.pairs)
        ] or fits
    if not fits:
        how = "fuzzy"
        fits = _similar_enough(hunk.before, lines)
    start = _only([fit.start for fit in fits], hunk, lines, None)
    fit = next(fit for fit in fits if fit.start == start)
    return Place(how, *rewrite(hunk.before, hunk.after, lines, fit), fit.similarity)


def _similar_enough(quoted: Sequence[str], lines: Sequence[str]) -> list[Fit]:
    fits = fuzzy_fits(quoted, lines)
    if not fits:
        raise DoesNotFitError("the file holds nothing similar")
    best = fits[0]
    said = sum(1 for line in quoted if line.strip())
    known = sum(canonical(quoted[i]) == canonical(lines[j]) for i, j in best.pairs)
    if best.similarity < LEAST_SIMILARITY or 2 * known < said:
        raise DoesNotFitError(
            f"the likest lines, from line {best.start + 1}, are {best.similarity:.0%} similar, {known} of {said} equal"
        )
    return [fit for fit in fits if fit.similarity > best.similarity - MARGIN]


def _only(starts: list[int], hunk: Hunk, lines: Sequence[str], stated: int | None) -> int:
    """The one place of several that the hunk can mean."""
    if stated in starts:
        assert stated is not None
        return stated
    under = _under_heading(starts, hunk, lines)
    if len(under) == 1:
        return under[0]
    if not under:
        raise DoesNotFitError(
            f"its lines stand on line {starts[0] + 1}, which is not under its heading {hunk.heading[:60]!r}"
        )
    places = ", ".join(str(start + 1) for start in sorted(under)[:5])
    raise DoesNotFitError(f"it fits at {len(under)} places, on lines {places}{', …' if len(under) > 5 else ''}")


def _under_heading(starts: list[int], hunk: Hunk, lines: Sequence[str]) -> list[int]:
    """The starts that lie in the definition which the hunk's heading names; all if the file has no such line."""
    heading = squeezed(hunk.heading)
    named = [at for at, line in enumerate(lines) if heading and squeezed(line).startswith(heading)]
    if not named or not _OPENING.match(heading):
        return starts
    return [
        start for start in starts
        if any(at < start + len(hunk.before) and not _left_between(lines, at, start) for at in named)
    ]  # fmt: skip


def _left_between(lines: Sequence[str], opening: int, start: int) -> bool:
    """Whether another definition, as far out as the one at `opening`, begins before `start`."""
    depth = len(indent_of(lines[opening]))
    return any(
        len(indent_of(line)) <= depth and _OPENING.match(line.strip()) for line in lines[opening + 1 : start + 1]
    )  # fmt: skip
