"""The sense of a clause: what it asks for, as meanings.  What is not quite clear is not guessed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agents.guidance import numbers
from agents.guidance.clauses import Clause, NotUnderstoodError
from agents.guidance.comparing import comparisons
from agents.guidance.items import Item
from agents.guidance.naming import named
from agents.guidance.polarity import check_denial, keeps, lowers
from agents.guidance.vocabulary import Thing, Vocabulary
from core.guidance import Meaning
from core.records import Mode
from search.parameters import Choice, Parameter, Subset, same

__all__ = ["meanings_of"]

OPPOSITE: dict[str, Mode] = {"explore": "exploit", "exploit": "explore"}
END_OF = {"minimize": "low", "maximize": "high"}
END: dict[str, Literal["low", "high"]] = {"low": "high", "high": "low"}


def meanings_of(clause: Clause, vocabulary: Vocabulary) -> list[Meaning]:
    """What the clause asks for.  An `exclusion` whose name begins with `!` lists what alone is allowed.

    Raises NotUnderstoodError.
    """
    if clause.fault is not None:
        raise clause.fault
    for item in clause.of("unknown"):
        raise NotUnderstoodError(f"{item.text!r} is not known here", vocabulary.nearest_to(item.text))
    if clause.has("waiver"):
        raise NotUnderstoodError("it says what need not be, and not what is to be")
    reading = _Reading(clause, vocabulary)
    made = [m.model_copy(update={"clause": clause.text}) for m in reading.meanings()]
    if not made:
        raise NotUnderstoodError("it does not say what is to be done")
    return made


@dataclass
class _Reading:
    clause: Clause
    vocabulary: Vocabulary

    def __post_init__(self) -> None:
        self.verbs = {item.value for item in self.clause.of("verb")}
        self.plain_state = self.clause.has("state") and not self.verbs
        self.left, self.lowered = "leave" in self.verbs, False
        if self.left:
            self.verbs.add("keep" if keeps(self.clause) else "avoid")
        if "drop" in self.verbs:
            self.lowered = lowers(self.clause)
            self.verbs |= set() if self.lowered else {"avoid"}
        if "fix" in self.verbs:
            self.verbs.add("set")
        denials = len(self.clause.of("negation")) + ("avoid" in self.verbs)
        if denials > 1:
            raise NotUnderstoodError("it is denied twice", "say what is wanted")
        self.negative = denials == 1
        if self.verbs == {"ensure"} and not self.negative:
            self.verbs.add("keep")
        self.hedged = self.clause.has("hedge")
        wished = bool(self.verbs & {"prefer", "try", "start"}) or self.clause.has("first")
        self.soft = self.hedged or (wished and not self.clause.has("only"))

    def meanings(self) -> Iterator[Meaning]:
        if self.clause.has("mode"):
            return self._mode()
        things = named(self.clause)
        if self.negative:
            check_denial(self.clause)
        if self.verbs & {"focus", "improve", "maximize", "minimize"}:
            return self._focus(things)
        if not things:
            raise NotUnderstoodError("it names nothing of this campaign")
        metrics = [thing for thing in things if thing.target == "metric"]
        if metrics:
            return self._metric(metrics[0], things)
        if self.clause.has("compare", "range", "or_more"):
            return self._bounds(self._parameters(things))
        if any(thing.target in ("file", "function", "operator") for thing in things):
            return self._code(things)
        if any(thing.target == "option" for thing in things):
            return self._options(things)
        if self.clause.has("number"):
            return self._values(self._parameters(things))
        if self.clause.has("size", "shift", "excess"):
            return self._ends(self._parameters(things))
        return self._switches(self._parameters(things))

    # ------------------------------------------------------------------- kinds

    def _mode(self) -> Iterator[Meaning]:
        modes = {item.value for item in self.clause.of("mode")}
        if len(modes) > 1 or self.clause.has("name", "number", "compare", "range"):
            raise NotUnderstoodError("it asks for several things at once", "say them in clauses of their own")
        mode: Mode = modes.pop()
        fewer = any(item.value == "low" for item in self._tendencies())
        if self.negative != fewer:
            if mode not in OPPOSITE:
                raise NotUnderstoodError("what is wanted instead is not said", "explore, or exploit")
            mode = OPPOSITE[mode]
        yield Meaning(kind="mode", mode=mode)

    def _focus(self, things: Sequence[Thing]) -> Iterator[Meaning]:
        if self.negative:
            raise NotUnderstoodError("what to focus on instead is not said")
        if not things:
            raise NotUnderstoodError("it does not say what to focus on", _known(self.vocabulary))
        if self.clause.has("compare", "range", "number", "or_more", "equal"):
            raise NotUnderstoodError("it asks for a focus and a value at once", "say them in clauses of their own")
        ends = {item.value for item in self._tendencies() if item.text.lower() != "more"}
        ends |= {END_OF[verb] for verb in self.verbs if verb in END_OF}
        if any(item.text.lower() in ("less", "fewer", "little") for item in self.clause.of("size")):
            raise NotUnderstoodError("what to focus on instead is not said")
        if len(ends) > 1:
            raise NotUnderstoodError("which end is wanted is not clear", _known(self.vocabulary))
        for thing in things:
            if thing.target == "option":
                raise NotUnderstoodError(f"{thing} is a value, not something to focus on", f"prefer {thing.option}")
            if thing.target == "metric":
                yield self._focus_on(thing, next(iter(ends), ""))
            elif thing.target == "operator":
                yield Meaning(kind="preference", target="operator", name=thing.name)
            elif self.verbs & {*END_OF} and thing.target == "parameter":
                yield self._toward(thing.name, next(iter(ends)))
            elif ends:
                raise NotUnderstoodError("it asks for a focus and a tendency at once", "prefer low, or prefer high")
            else:
                yield Meaning(kind="focus", target=thing.target, name=thing.name)

    def _focus_on(self, metric: Thing, wished: str) -> Meaning:
        best: Literal["low", "high"] = "low" if self.vocabulary.metrics[metric.name] == "minimize" else "high"
        if wished and wished != best:
            goal = "lower" if best == "low" else "higher"
            raise NotUnderstoodError(f"of {metric.name}, {goal} is better in this campaign", f"focus on {metric.name}")
        return Meaning(kind="focus", target="metric", name=metric.name, toward=best)

    def _metric(self, metric: Thing, things: Sequence[Thing]) -> Iterator[Meaning]:
        moves = [item.value for item in self._tendencies()]
        plain = len(things) == 1 and not self.clause.has("number", "range", "compare", "equal")
        if not plain or self.negative or len(set(moves)) != 1:
            raise NotUnderstoodError(f"{metric.name} is measured, not set", f"focus on {metric.name}")
        yield self._focus_on(metric, moves[0])

    def _bounds(self, names: Sequence[str]) -> Iterator[Meaning]:
        if self.negative and self.clause.has("negation") and self.verbs & {"keep", "set", "prefer"}:
            raise NotUnderstoodError("what is wanted instead is not said", "say the bound that is to hold")
        if self.plain_state:
            raise NotUnderstoodError("it tells how things are, not what is wanted", "keep …, or avoid …")
        strict = any(item.value in ("<", ">") for item in self.clause.of("compare"))
        if self.clause.has("permit") and strict and not (self.negative or self.verbs - {"use"}):
            raise NotUnderstoodError("it allows something, and asks for nothing", "say the bound that is to hold")
        if len(names) > 1 and len(list(comparisons(self.clause.items))) > 1:
            raise NotUnderstoodError("which number belongs to which name is not clear", "put a comma between them")
        if self.clause.has("size", "shift", "excess", "boolean"):
            raise NotUnderstoodError("it asks for a bound and a tendency at once", "say them in clauses of their own")
        for name in names:
            parameter = self._parameter(name)
            low, high = self._interval(parameter)
            if self.negative and low is not None and high is not None:
                self._inside(name, parameter, low, high)
                yield Meaning(kind="exclusion", target="parameter", name=name, low=low, high=high, hard=True)
            elif self.soft and (self.hedged or not self.negative):
                numbers.bound(name, parameter, low, high)
                yield Meaning(kind="preference", target="parameter", name=name, low=low, high=high)
            else:
                yield numbers.bound(name, parameter, low, high)

    def _interval(self, parameter: Parameter) -> tuple[float | None, float | None]:
        """The interval that the comparisons leave, turned around where they are denied."""
        ranges, said = self.clause.of("range"), list(comparisons(self.clause.items))
        if ranges and (len(ranges) > 1 or said or self.clause.has("number")):
            raise NotUnderstoodError("it gives too many numbers")
        if ranges:
            return numbers.between(parameter, *ranges[0].value)
        if not said:
            raise NotUnderstoodError("it compares with no number")
        low: float | None = None
        high: float | None = None
        for sign, number in said:
            least, most = numbers.interval(parameter, numbers.NEGATED[sign] if self.negative else sign, number)
            low = least if low is None else low if least is None else max(low, least)
            high = most if high is None else high if most is None else min(high, most)
        if low is not None and high is not None and low > high:
            raise NotUnderstoodError("it contradicts itself")
        return low, high

    def _inside(self, name: str, parameter: Parameter, low: float, high: float) -> None:
        if isinstance(parameter, Choice) or low > parameter.high or high < parameter.low:
            raise NotUnderstoodError(f"{name} has nothing in that range", f"it is {parameter.allowed}")
        if low <= parameter.low and high >= parameter.high:
            raise NotUnderstoodError(f"nothing of {name} would be left", f"it is {parameter.allowed}")

    def _values(self, names: Sequence[str]) -> Iterator[Meaning]:
        if len(names) != 1 or self.clause.has("size", "excess", "boolean"):
            raise NotUnderstoodError("which number belongs to which name is not clear")
        name = names[0]
        parameter = self._parameter(name)
        if "limit" in self.verbs:
            if self.negative or len(self.clause.of("number")) != 1:
                raise NotUnderstoodError("which limit is wanted is not clear")
            low, high = numbers.interval(parameter, "<=", self.clause.of("number")[0].value)
            yield numbers.bound(name, parameter, low, high)
            return
        values = [numbers.value_of(name, parameter, item.value) for item in self.clause.of("number")]
        yield from self._chosen(name, parameter, tuple(values), shifted=self.clause.has("shift") or self.lowered)

    def _options(self, things: Sequence[Thing]) -> Iterator[Meaning]:
        no_more = self.negative and all(item.text.lower() == "more" for item in self.clause.of("size"))
        if self.clause.has("number", "shift", "excess", "boolean") or (self.clause.has("size") and not no_more):
            raise NotUnderstoodError("it says more than one thing of an option")
        by_name: dict[str, list[Any]] = {}
        for thing in things:
            if thing.target != "option":
                raise NotUnderstoodError(f"it does not say what of {thing.name}")
            by_name.setdefault(thing.name, []).extend(_options(self._parameter(thing.name), thing.option))
        if self.negative and len(by_name) > 1:
            raise NotUnderstoodError("each, or only both together, could be meant", "say them one by one")
        for name, options in by_name.items():
            yield from self._chosen(name, self._parameter(name), tuple(options), shifted=False)

    def _chosen(self, name: str, parameter: Parameter, values: tuple[Any, ...], *, shifted: bool) -> Iterator[Meaning]:
        """Values that are to be taken, tried first, alone, or never."""
        soft = self.soft or self.clause.has("about")
        only = self.clause.has("only") or (
            not soft and (self.clause.has("equal") or self.verbs & {"set", "keep", "limit"})
        )
        if self.negative:
            if self.clause.has("only") or "keep" in self.verbs or "prefer" in self.verbs:
                raise NotUnderstoodError("what is wanted instead is not said")
            if getattr(parameter, "type", "") == "float":
                raise NotUnderstoodError(f"one value of {name} is never tried exactly", f"avoid a range of {name}")
            if shifted or self.clause.has("first") or self.verbs & {"start", "limit", "fix"}:
                raise NotUnderstoodError("what is wanted instead is not said")
            if self.hedged and isinstance(parameter, Choice):
                rest = tuple(o for o in parameter.options if not any(same(o, out) for out in values))
                yield Meaning(kind="preference", target="parameter", name=name, options=rest or values)
                return
            yield Meaning(kind="exclusion", target="parameter", name=name, options=values, hard=True)
        elif only and not isinstance(parameter, Choice):
            if len(values) > 1:
                raise NotUnderstoodError(f"it gives {name} several values", "give a range")
            yield Meaning(kind="bound", target="parameter", name=name, low=values[0], high=values[0], hard=True)
        elif only:
            yield Meaning(kind="exclusion", target="parameter", name=f"!{name}", options=values, hard=True)
        elif soft or self.verbs & {"use"} or shifted:
            yield Meaning(kind="preference", target="parameter", name=name, options=values)
        else:
            said = " or ".join(map(str, values))
            raise NotUnderstoodError(
                f"it does not say what is to be done with {name} {said}", f"try, avoid, or set {name}"
            )

    def _ends(self, names: Sequence[str]) -> Iterator[Meaning]:
        ends = {item.value for item in self._tendencies()}
        if len(ends) > 1 or (self.negative and self.clause.has("shift")):
            raise NotUnderstoodError("which end is wanted is not clear")
        if self.plain_state and not self.clause.has("excess"):
            raise NotUnderstoodError("it tells how things are, not what is wanted", "prefer low, or prefer high")
        end: Literal["low", "high"] = ends.pop()
        turned = self.negative and not self.clause.has("excess")  # `not too high` is low
        for name in names:
            yield self._toward(name, END[end] if turned else end)

    def _tendencies(self) -> list[Item]:
        """What says an end: small, increase, too many."""
        return [*self.clause.of("size"), *self.clause.of("shift"), *self.clause.of("excess")]

    def _toward(self, name: str, end: Literal["low", "high"]) -> Meaning:
        parameter = self._parameter(name)
        if isinstance(parameter, Choice) and not all(
            isinstance(o, int | float) and not isinstance(o, bool) for o in parameter.options
        ):
            raise NotUnderstoodError(f"{name} is no number", f"it is {parameter.allowed}")
        return Meaning(kind="preference", target="parameter", name=name, toward=end)

    def _switches(self, names: Sequence[str]) -> Iterator[Meaning]:
        """On and off, of what is true or false."""
        said = [item.value for item in self.clause.of("boolean")]
        for name in names:
            parameter = self._parameter(name)
            if not isinstance(parameter, Choice) or {*map(type, parameter.options)} != {bool}:
                hint = f"{name} is {parameter.allowed}"
                raise NotUnderstoodError(f"it does not say what of {name}", hint)
            if self.left or len(said) > 1 or (said and self.verbs & {"enable", "disable"}):
                raise NotUnderstoodError(f"whether {name} is to be on or off is not clear")
            on = said[0] if said else "disable" not in self.verbs
            if self.negative:
                if said and self.clause.has("negation"):
                    raise NotUnderstoodError(f"whether {name} is to be on or off is not clear")
                on = not on
            hard = self.negative or said or self.verbs & {"enable", "disable", "set"}
            if self.soft or not (hard or self.verbs & {"use"}):
                if not self.verbs and not self.clause.has("first"):
                    raise NotUnderstoodError(f"it does not say what of {name}")
                yield Meaning(kind="preference", target="parameter", name=name, options=(on,))
            else:
                yield Meaning(kind="exclusion", target="parameter", name=name, options=(not on,), hard=True)

    def _code(self, things: Sequence[Thing]) -> Iterator[Meaning]:
        """Files, functions and operators of a campaign on code."""
        if self.clause.has("number", "size", "shift", "excess", "equal"):
            raise NotUnderstoodError("numbers say nothing of code")
        operators = {thing.target == "operator" for thing in things}
        if self.negative and len(operators) > 1:
            raise NotUnderstoodError("each, or only both together, could be meant", "say them one by one")
        for thing in things:
            if thing.target in ("option", "parameter", "metric"):
                raise NotUnderstoodError(f"it does not say what of {thing.name}")
            assert thing.target != "option"
            if self.negative:
                if "keep" in self.verbs or self.clause.has("only"):
                    raise NotUnderstoodError("what is wanted instead is not said")
                yield Meaning(kind="exclusion", target=thing.target, name=thing.name, hard=True)
            elif self.clause.has("only") and thing.target == "function":
                raise NotUnderstoodError("one function cannot be asked for alone", f"focus on {thing.name}")
            elif self.clause.has("only"):
                yield Meaning(kind="exclusion", target=thing.target, name=f"!{thing.name}", hard=True)
            elif self.soft or self.verbs & {"use"}:
                kind: Literal["preference", "focus"] = "preference" if thing.target == "operator" else "focus"
                yield Meaning(kind=kind, target=thing.target, name=thing.name)
            else:
                raise NotUnderstoodError(f"it does not say what is to be done with {thing.name}")

    # ------------------------------------------------------------------- parts

    def _parameters(self, things: Sequence[Thing]) -> list[str]:
        for thing in things:
            if thing.target != "parameter":
                raise NotUnderstoodError(f"{thing} is no number")
        return [thing.name for thing in things]

    def _parameter(self, name: str) -> Parameter:
        assert self.vocabulary.space is not None
        return self.vocabulary.space[name]


def _options(parameter: Parameter, option: Any) -> list[Any]:
    """The option itself; of a list of items, every list that holds the item."""
    if isinstance(parameter, Subset):
        return [told for told in parameter.options if option in told]
    return [option]


def _known(vocabulary: Vocabulary) -> str:
    return f"known: {', '.join(vocabulary.names[:8])}"
