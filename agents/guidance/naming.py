"""What the names of a clause name: one thing each, told apart by what else the clause says."""

from __future__ import annotations

from collections.abc import Sequence

from agents.guidance.clauses import AVOIDING, Clause, NotUnderstoodError
from agents.guidance.items import Item
from agents.guidance.vocabulary import Thing

__all__ = ["named"]

NUMERIC = ("compare", "range", "or_more", "number", "size", "shift", "excess")


def named(clause: Clause) -> list[Thing]:
    """The things that the clause names, in order; a parameter that only introduces or ends its option is left out.

    Raises NotUnderstoodError for a name that could be several.
    """
    around = next((_only_parameter(item) for item in clause.context if _only_parameter(item)), None)
    told: list[Thing] = []
    parameter = around
    nouns = {item.value for item in clause.of("noun")}
    for item in clause.of("name"):
        thing = _one(item, parameter, clause, nouns)
        if thing.target == "option":
            if told and told[-1] == Thing("parameter", thing.name):
                told.pop()
            parameter = thing.name
        elif thing.target == "parameter":
            parameter = thing.name
            if told and (told[-1].target, told[-1].name) == ("option", thing.name):
                continue  # the adam optimizer
        told.append(thing)
    return list(dict.fromkeys(told))


def _only_parameter(item: Item) -> str | None:
    """The one parameter that a name of the context may be, or be an option of."""
    names = {thing.name for thing in item.value if thing.target in ("parameter", "option")}
    return next(iter(names)) if len(names) == 1 else None


def _one(item: Item, parameter: str | None, clause: Clause, nouns: set[str]) -> Thing:
    things: Sequence[Thing] = item.value
    verbs = {verb.value for verb in clause.of("verb")}
    own = [thing for thing in things if thing.target == "option" and thing.name == parameter]
    numeric = clause.has(*NUMERIC)
    if len(own) == 1 and not (numeric and any(thing.target == "parameter" for thing in things)):
        return own[0]
    preferences: list[tuple[str, ...]] = []
    if nouns:
        preferences.append(tuple(nouns))
    if verbs & {"focus", "improve", "maximize", "minimize"}:
        things = [thing for thing in things if thing.target != "option"] or things
    elif numeric:
        preferences.append(("parameter",))
    elif verbs & {*AVOIDING, "use", "try", "start", "prefer", "set", "fix"} or clause.has("negation", "only", "first"):
        preferences.append(("option", "operator"))
    for targets in preferences:
        things = [thing for thing in things if thing.target in targets] or things
    if len(things) == 1:
        return things[0]
    choices = " or ".join(sorted(str(thing) for thing in things)[:4])
    raise NotUnderstoodError(f"{item.text!r} could be {choices}", "write its whole name")
