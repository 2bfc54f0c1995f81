"""The parameters of a search space: `Float`, `Int`, `Choice`, `Subset`, and `Patch`, which only a code campaign has.

Notation: v is a value, u ∈ [0, 1] its place in the unit interval.

    Float   u = (s(v) - s(low)) / (s(high) - s(low)),  s = log where `log`, else the identity
    Int     the same over [low - ½, high + ½], so that every whole number owns an equal share (on the scale of s)
    Choice  u = (i + ½) / k for option i of k; any u in [i/k, (i+1)/k) decodes to option i

`from_unit(to_unit(v)) == v`, for floats up to rounding.  A parameter exists only when every parent named in `when`
has one of the listed values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from numbers import Integral, Real
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.errors import ConfigError

__all__ = ["Choice", "Float", "Int", "Parameter", "Patch", "Scalar", "Subset", "same"]

Scalar = bool | int | float | str | None
"""What an option may be: what JSON can say in one word."""


def same(a: object, b: object) -> bool:
    """Equality that keeps True and 1 apart, but not 1 and 1.0."""
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def _refuse(name: str, value: object, allowed: str) -> ConfigError:
    return ConfigError(f"{name} = {value!r} is not allowed", where=f"parameter {name}", hint=f"give {name} {allowed}")


class _Parameter(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    when: dict[str, tuple[Any, ...]] = Field(default_factory=dict)

    @field_validator("when", mode="before")
    @classmethod
    def _listed(cls, when: Any) -> Any:
        """`{model: mlp}` is short for `{model: [mlp]}`."""
        if when is None:
            return {}
        if isinstance(when, Mapping):
            return {k: tuple(v) if isinstance(v, list | tuple | set) else (v,) for k, v in when.items()}
        return when

    def is_active(self, config: Mapping[str, Any]) -> bool:
        """Whether this parameter exists beside the values of its parents in `config`."""
        return not self.when or all(
            parent in config and any(same(config[parent], value) for value in values)
            for parent, values in self.when.items()
        )


class Float(_Parameter):
    """A real number in [low, high]; searched on a logarithmic scale where `log`."""

    type: Literal["float"] = "float"
    low: float
    high: float
    log: bool = False
    default: float | None = None

    def __init__(self, low: float | None = None, high: float | None = None, **rest: Any) -> None:
        super().__init__(**_given(low=low, high=high), **rest)

    @model_validator(mode="after")
    def _bounds(self) -> Float:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"low must be below high, both finite: [{self.low}, {self.high}]")
        if self.log and self.low <= 0:
            raise ValueError(f"a log scale needs low > 0, not {self.low}")
        if self.default is not None and not self.low <= self.default <= self.high:
            raise ValueError(f"default {self.default} is outside [{self.low}, {self.high}]")
        return self

    @property
    def allowed(self) -> str:
        return f"a number in [{self.low:g}, {self.high:g}]"

    def canonical(self, value: Any, name: str = "value") -> float:
        """The value as float; ConfigError naming the parameter, the value and the range."""
        if type(value) is not float and (isinstance(value, bool) or not isinstance(value, Real)):
            raise _refuse(name, value, self.allowed)
        if not self.low <= float(value) <= self.high:  # NaN fails too
            raise _refuse(name, value, self.allowed)
        return float(value)

    def to_unit(self, value: float) -> float:
        if self.log:
            return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (value - self.low) / (self.high - self.low)

    def from_unit(self, u: float) -> float:
        u = min(max(u, 0.0), 1.0)
        if self.log:
            value = math.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + u * (self.high - self.low)
        return min(max(value, self.low), self.high)


class Int(_Parameter):
    """A whole number in [low, high], both included; searched on a logarithmic scale where `log`."""

    type: Literal["int"] = "int"
    low: int
    high: int
    log: bool = False
    default: int | None = None

    def __init__(self, low: int | None = None, high: int | None = None, **rest: Any) -> None:
        super().__init__(**_given(low=low, high=high), **rest)

    @model_validator(mode="after")
    def _bounds(self) -> Int:
        if self.low > self.high:
            raise ValueError(f"low must not be above high: [{self.low}, {self.high}]")
        if self.log and self.low < 1:
            raise ValueError(f"a log scale needs low >= 1, not {self.low}")
        if self.default is not None and not self.low <= self.default <= self.high:
            raise ValueError(f"default {self.default} is outside [{self.low}, {self.high}]")
        return self

    @property
    def allowed(self) -> str:
        return f"a whole number in [{self.low}, {self.high}]"

    @property
    def edges(self) -> tuple[float, float]:
        """The ends of the unit interval on the scale of s (half a step outside the bounds)."""
        low, high = self.low - 0.5, self.high + 0.5
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def canonical(self, value: Any, name: str = "value") -> int:
        """The value as int (3.0 counts as 3); ConfigError naming the parameter, the value and the range."""
        if type(value) is not int:
            whole = isinstance(value, Integral) or (isinstance(value, Real) and float(value).is_integer())
            if isinstance(value, bool) or not whole:
                raise _refuse(name, value, self.allowed)
        if not self.low <= int(value) <= self.high:
            raise _refuse(name, value, self.allowed)
        return int(value)

    def to_unit(self, value: int) -> float:
        low, high = self.edges
        return ((math.log(value) if self.log else value) - low) / (high - low)

    def from_unit(self, u: float) -> int:
        low, high = self.edges
        s = low + min(max(u, 0.0), 1.0) * (high - low)
        return min(max(math.floor((math.exp(s) if self.log else s) + 0.5), self.low), self.high)


class Choice(_Parameter):
    """One of several options (text, numbers, booleans, None), without an order."""

    type: Literal["choice"] = "choice"
    options: tuple[Any, ...]
    default: Any = None

    def __init__(self, *words: Any, options: Any = None, **rest: Any) -> None:
        if words and options is not None:
            raise ConfigError("options are given twice", hint="write Choice('a', 'b') or Choice(options=['a', 'b'])")
        super().__init__(**{"options": words if options is None else options, **rest})

    @model_validator(mode="after")
    def _distinct(self) -> Choice:
        if not self.options:
            raise ValueError("a choice needs at least one option")
        for i, option in enumerate(self.options):
            if not isinstance(option, bool | int | float | str | None):
                raise ValueError(f"option {option!r} is not text, a number, a boolean or null")
            if any(same(option, other) for other in self.options[:i]):
                raise ValueError(f"option {option!r} is listed twice")
        if self.default is not None and not any(same(self.default, option) for option in self.options):
            raise ValueError(f"default {self.default!r} is not one of {list(self.options)}")
        return self

    @property
    def allowed(self) -> str:
        return f"one of {list(self.options)}"

    def index(self, value: Any) -> int:
        """The place of the option among the options; -1 if it is none of them."""
        return next((i for i, option in enumerate(self.options) if same(value, option)), -1)

    def canonical(self, value: Any, name: str = "value") -> Any:
        """The option itself; ConfigError naming the parameter, the value and the options."""
        i = self.index(value)
        if i < 0:
            raise _refuse(name, value, self.allowed)
        return self.options[i]

    def to_unit(self, value: Any) -> float:
        return (self.index(value) + 0.5) / len(self.options)

    def from_unit(self, u: float) -> Any:
        return self.options[min(max(int(u * len(self.options)), 0), len(self.options) - 1)]


class Subset(Choice):
    """A list of some of the `items`, each at most once, in their order: a choice among all such lists.

    `options` are the lists of `min_size` to `max_size` items; there may be at most 1024 of them.
    """

    type: Literal["subset"] = "subset"  # type: ignore[assignment]  # its own word in a campaign
    items: tuple[Any, ...]
    min_size: int = Field(default=0, ge=0)
    max_size: int | None = None

    def __init__(self, *words: Any, **rest: Any) -> None:
        super().__init__(**({"items": words} if words else {}), **rest)

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, data: Any) -> Any:
        """`options` in a campaign are the items; here they become the lists."""
        if not isinstance(data, dict):
            return data
        items = data.get("items") or data.get("options") or ()
        if not isinstance(items, list | tuple) or not 1 <= len(items) <= 10:
            raise ValueError(f"a subset is taken of 1 to 10 items, not {items!r}")
        most = data.get("max_size")
        sizes = range(int(data.get("min_size") or 0), min(len(items), len(items) if most is None else int(most)) + 1)
        lists = tuple([*chosen] for size in sizes for chosen in combinations(items, size))
        return {**data, "items": tuple(items), "options": lists}

    @model_validator(mode="after")
    def _distinct(self) -> Subset:
        for i, item in enumerate(self.items):
            if not isinstance(item, str | int | float) or any(same(item, other) for other in self.items[:i]):
                raise ValueError(f"item {item!r} is listed twice, or is neither text nor number")
        if not self.options:
            raise ValueError("no list has that many items")
        if self.default is not None and self.index(self.default) < 0:
            raise ValueError(f"default {self.default!r} is not {self.allowed}")
        return self

    @property
    def allowed(self) -> str:
        most = len(self.items) if self.max_size is None else self.max_size
        return f"a list of {self.min_size} to {most} of {list(self.items)}, each at most once"

    def index(self, value: Any) -> int:
        """The place of the list, in whatever order it is given; -1 if it is none."""
        if not isinstance(value, list | tuple) or not all(any(same(v, item) for item in self.items) for v in value):
            return -1
        ordered = [item for item in self.items if any(same(v, item) for v in value)]
        return self.options.index(ordered) if len(ordered) == len(value) and ordered in self.options else -1

    def canonical(self, value: Any, name: str = "value") -> Any:
        return list(super().canonical(value, name))

    def from_unit(self, u: float) -> Any:
        return list(super().from_unit(u))


class Patch(Choice):
    """The reference of a change of files: a choice without an end, which no arithmetic of numbers tells apart.

    All references share one place in the unit interval; what is drawn from it is the empty one, which changes nothing.
    """

    type: Literal["patch"] = "patch"  # type: ignore[assignment]  # its own word in a campaign

    def __init__(self, **rest: Any) -> None:
        super().__init__(**{**rest, "options": ("",)})

    @property
    def allowed(self) -> str:
        return "the reference of a kept change"

    def index(self, value: Any) -> int:
        return 0 if isinstance(value, str) else -1

    def canonical(self, value: Any, name: str = "value") -> str:
        """The reference itself; ConfigError for what is no text."""
        super().canonical(value, name)
        return str(value)


Parameter = Annotated[Float | Int | Choice | Subset | Patch, Field(discriminator="type")]


def _given(**values: Any) -> dict[str, Any]:
    """The values that were given: a missing bound is reported by pydantic in its own words."""
    return {k: v for k, v in values.items() if v is not None}
