"""Regions of the space that are forbidden, and how they are learned from failures.

A region is a conjunction of one or two conditions, each an interval of a number or a set of options.  A configuration
lies in it when it has every named parameter and every condition holds; a parameter that is not active holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from search.parameters import same

__all__ = ["Condition", "Forbidden", "Region", "violations"]


class Condition(BaseModel):
    """An interval [low, high] of a number, bounds included, or a set of options: one of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float | None = None
    high: float | None = None
    options: tuple[Any, ...] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Condition:
        interval = self.low is not None or self.high is not None
        if interval == (self.options is not None):
            raise ValueError("a condition is either an interval (low, high) or a set of options")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low must not be above high: [{self.low}, {self.high}]")
        return self

    def holds(self, value: Any) -> bool:
        if self.options is not None:
            return any(same(value, option) for option in self.options)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def covers(self, other: Condition) -> bool:
        """Whether all that satisfies `other` satisfies this."""
        if self.options is not None:
            return other.options is not None and all(self.holds(option) for option in other.options)
        if other.options is not None:
            return all(self.holds(option) for option in other.options)
        low = self.low is None or (other.low is not None and other.low >= self.low)
        return low and (self.high is None or (other.high is not None and other.high <= self.high))

    def __str__(self) -> str:
        if self.options is not None:
            return f"in {list(self.options)}"
        if self.low is None:
            return f"<= {self.high:g}"
        return f">= {self.low:g}" if self.high is None else f"in [{self.low:g}, {self.high:g}]"


class Region(BaseModel):
    """Conditions by parameter, why they are forbidden, and the ids of the trials that say so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    conditions: dict[str, Condition] = Field(min_length=1, max_length=2)
    reason: str = ""
    evidence: tuple[str, ...] = ()

    def contains(self, config: Mapping[str, Any]) -> bool:
        return all(name in config and condition.holds(config[name]) for name, condition in self.conditions.items())

    def covers(self, other: Region) -> bool:
        """Whether every configuration in `other` is in this region."""
        return all(
            name in other.conditions and condition.covers(other.conditions[name])
            for name, condition in self.conditions.items()
        )

    def __str__(self) -> str:
        return " and ".join(f"{name} {condition}" for name, condition in self.conditions.items())


class Forbidden(Protocol):
    """A set of configurations that must not be tried, and why: a region, or what breaks a rule."""

    @property
    def reason(self) -> str: ...

    def contains(self, config: Mapping[str, Any]) -> bool: ...


F = TypeVar("F", bound=Forbidden)


def violations(config: Mapping[str, Any], regions: Iterable[F]) -> Sequence[F]:
    """The regions that `config` lies in."""
    return [region for region in regions if region.contains(config)]
