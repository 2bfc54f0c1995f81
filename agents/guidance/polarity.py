"""What a clause denies, where its words alone do not say it: `leave`, `drop`, and a denial among several names."""

from __future__ import annotations

from itertools import pairwise

from agents.guidance.clauses import Clause, NotUnderstoodError

__all__ = ["check_denial", "keeps", "lowers"]


def keeps(clause: Clause) -> bool:
    """Whether its `leave` goes with what is to stay: `leave dropout at 0.2`, and not `leave sgd`.

    Raises NotUnderstoodError.
    """
    if clause.has("number") and not _name_first(clause):
        raise NotUnderstoodError("whether that is to stay, or to be left out, is not clear", "keep, or avoid")
    return clause.has("compare", "range", "number", "or_more", "size", "boolean")


def lowers(clause: Clause) -> bool:
    """Whether its `drop` is to lower something: `drop layers to 2`, and not `drop 6 layers`.

    Raises NotUnderstoodError.
    """
    signs = {item.value for item in (*clause.of("compare"), *clause.of("or_more"))}
    if signs - {">"} or clause.has("range"):
        raise NotUnderstoodError("whether that is to be reached, or to be left out, is not clear", "keep, or avoid")
    return not signs and clause.has("number") and _name_first(clause)


def check_denial(clause: Clause) -> None:
    """Raises NotUnderstoodError where only some of the names may be denied: `use adam not sgd`."""
    for before, after in pairwise(clause.of("name")):
        parameters = {thing.name for thing in before.value if thing.target == "parameter"}
        if any(thing.target == "option" and thing.name in parameters for thing in after.value):
            continue  # the optimizer, never sgd
        between = [item for item in clause.items if before.end <= item.start < after.start]
        if any(item.kind in ("verb", "negation", "only") for item in between):
            raise NotUnderstoodError("which of them is to be avoided is not clear", "put a comma between them")


def _name_first(clause: Clause) -> bool:
    kinds = [item.kind for item in clause.items if item.kind in ("name", "number", "range")]
    return kinds[:1] == ["name"]
