"""The comparisons of a clause, whichever way around they are said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.guidance.clauses import NotUnderstoodError
from agents.guidance.items import Item
from agents.guidance.numbers import FLIPPED, Number

__all__ = ["comparisons"]


def comparisons(items: Sequence[Item]) -> Iterator[tuple[str, Number]]:
    """(sign, number) of each comparison, as if the parameter stood before it.  Raises NotUnderstoodError."""
    told = [item for item in items if item.kind in ("compare", "number", "name", "or_more")]
    used: set[int] = set()
    for i, item in enumerate(told):
        after = told[i + 1] if i + 1 < len(told) else None
        before = told[i - 1] if i else None
        if item.kind == "compare" and after is not None and after.kind == "number" and i + 1 not in used:
            used.add(i + 1)
            yield item.value, after.value
        elif item.kind == "compare" and before is not None and before.kind == "number" and i - 1 not in used:
            used.add(i - 1)
            yield FLIPPED[item.value], before.value
        elif item.kind == "compare":
            raise NotUnderstoodError("it compares with no number")
        elif item.kind == "or_more":
            given = [j for j, other in enumerate(told) if other.kind == "number" and j not in used]
            if len(given) != 1:
                raise NotUnderstoodError("it compares with no number")
            used.add(given[0])
            yield item.value, told[given[0]].value
    if any(item.kind == "number" and i not in used for i, item in enumerate(told)):
        raise NotUnderstoodError("it gives too many numbers")
