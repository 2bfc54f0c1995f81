"""A `SELECT … WHERE column = ?` as text: what it must be like to be asked for many keys at once, and the text for that.

    SELECT name FROM users WHERE id = ?

    WITH wanted(wanted_place, wanted_key) AS (VALUES (0, ?), (1, ?), …)
    SELECT name, wanted_place FROM wanted CROSS JOIN users WHERE id IN (wanted_key, NULL)

SQLite itself compares each key with the column, by the same affinity and collation as before, and the place says whose
row it is: with `id IN (?, ?, …)` and a dict, `'1'` and 1, or `'a'` and `'A'` where the column ignores case, would lose
their rows.  In SQLite a CROSS JOIN is carried out from left to right, by the index that the single query would take.
`IN (wanted_key, NULL)` means `= wanted_key`, but lets SQLite make no index of its own for the query: by that, the rows
of a key would come in another order than by themselves.

Rows that an ORDER BY leaves equal come in an order that SQL leaves open.  Ascending, SQLite keeps the order of the
scan, here as before; descending, it may walk an index backwards, and what was equal would come the other way round.  So
a descending query is taken only if it orders by all that it selects: then rows that are equal are the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Select", "read_select"]

_WORD = r"[A-Za-z_]\w*"
_NAME = rf"{_WORD}(?:\.{_WORD})?"
_VALUE = r"(?:-?\d+(?:\.\d+)?|'[^'?]*'|NULL)"
_CONDITION = rf"\s+AND\s+{_NAME}\s*(?:=|==|<>|!=|<=|>=|<|>|IS\s+NOT|IS)\s*{_VALUE}"
_SELECT = re.compile(
    rf"\s*SELECT\s+(?P<columns>[^;?'\"()]+?)\s+FROM\s+(?P<table>{_NAME})(?:\s+(?:AS\s+)?(?P<alias>{_WORD}))?"
    rf"\s+WHERE\s+(?P<column>{_NAME})\s*==?\s*\?(?P<rest>(?:{_CONDITION})*)"
    r"(?:\s+ORDER\s+BY\s+(?P<order>[^;?'\"()]+?))?(?P<limit>\s+LIMIT\s+1)?\s*;?\s*",
    re.IGNORECASE,
)
_OUT = re.compile(
    r"\b(?:DISTINCT|FROM|JOIN|LEFT|INNER|NATURAL|UNION|EXCEPT|INTERSECT|GROUP|HAVING|LIMIT|OFFSET|WINDOW|OVER|rowid"
    r"|oid|_rowid_|wanted\w*)\b|--|/\*",
    re.IGNORECASE,
)
"""Words that would make it another query: more tables, groups, a limit, or names that the new one uses."""
_DESCENDING = re.compile(r"\bDESC\b", re.IGNORECASE)
_DIRECTION = re.compile(r"\s+(?:ASC|DESC)$", re.IGNORECASE)
_STAR = re.compile(r"(?:^|,)\s*\*\s*(?:,|$)")


@dataclass(frozen=True)
class Select:
    """The parts of a query for the rows of one key in one table.  `first`: it asks for one row only."""

    columns: str
    source: str
    column: str
    rest: str
    order: str
    first: bool

    def parts(self) -> tuple[str, str, str]:
        """What stands before the places and keys, `(0, ?), (1, ?), …`, and what stands behind them, in two lines."""
        order = f" ORDER BY wanted_place, {self.order}" if self.order else ""
        return (
            "WITH wanted(wanted_place, wanted_key) AS (VALUES ",
            f") SELECT {self.columns}, wanted_place ",
            f"FROM wanted CROSS JOIN {self.source} WHERE {self.column} IN (wanted_key, NULL){self.rest}{order}",
        )


def read_select(text: str) -> Select | None:
    """The query, if it is one for a key in one table, without aggregates, subqueries or other parameters."""
    found = _SELECT.fullmatch(text)
    if found is None:
        return None
    parts = found.groupdict(default="")
    alone = " ".join(parts[name] for name in ("columns", "alias", "rest", "order", "table", "column"))
    if _OUT.search(alone) or not alone.isascii():
        return None
    if _DESCENDING.search(parts["order"]) and not _names(parts["columns"]) <= _names(parts["order"]):
        return None
    columns = " ".join(parts["columns"].split())
    if _STAR.search(columns):
        named = parts["alias"] or parts["table"]
        if columns != "*" or "." in named:
            return None
        columns = f"{named}.*"
    source = f"{parts['table']} AS {parts['alias']}" if parts["alias"] else parts["table"]
    rest = " ".join(parts["rest"].split())
    return Select(
        columns,
        source,
        parts["column"],
        f" {rest}" if rest else "",
        " ".join(parts["order"].split()),
        bool(parts["limit"]),
    )


def _names(listed: str) -> set[str]:
    """What stands between the commas, without table, direction and case."""
    return {_DIRECTION.sub("", one.strip()).rpartition(".")[2].strip().lower() for one in listed.split(",")}
