"""What a finder sees: the window of an analysis, and what was kept of it, summed once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from agents.live.kept import Kept
from agents.live.tallies import FunctionKey, FunctionSum, RepeatKey, RepeatSum
from core.improvement import ImprovementOpportunity
from search.error_clusters import ErrorCluster
from search.trends import Trend

__all__ = ["View"]

MIN_SPAN_S = 60.0
"""A shorter time is taken as a minute: rates by the hour of five seconds would be fancy."""


@dataclass
class View:
    """The window from `begin` to `end` (seconds); trends and clusters as found in it; `unknown` collects what cannot
    be judged."""

    kept: Kept
    begin: float
    end: float
    trends: tuple[Trend, ...] = ()
    clusters: tuple[ErrorCluster, ...] = ()
    tenant_id: str = ""
    unknown: list[str] = field(default_factory=list)

    @cached_property
    def functions(self) -> dict[FunctionKey, FunctionSum]:
        return self.kept.tallies.functions(self.begin, self.end)

    @cached_property
    def repeats(self) -> dict[RepeatKey, RepeatSum]:
        return self.kept.tallies.repeats(self.begin, self.end)

    @cached_property
    def hours(self) -> float:
        """Hours of the window in which anything was told of events."""
        first, last = self.kept.tallies.span_s(self.begin, self.end), self.end - self.begin
        return min(max(first, MIN_SPAN_S), max(last, MIN_SPAN_S)) / 3600

    @cached_property
    def requests(self) -> Mapping[str, FunctionSum]:
        """The requests of each component."""
        found: dict[str, FunctionSum] = {}
        for (component, _, _, operation), one in self.functions.items():
            if operation == "request":
                found.setdefault(component, FunctionSum()).add(one)
        return found

    def time_s(self, component: str) -> float:
        """Time of its requests, else of its functions without what they call."""
        if component in self.requests:
            return self.requests[component].total_s
        return math.fsum(one.own_s for (name, *_), one in self.functions.items() if name == component)

    def requests_per_hour(self, component: str) -> float:
        """Requests told of by traces, else by a throughput series; 0 where neither tells."""
        if component in self.requests:
            return self.requests[component].calls / self.hours
        begin, end = int(self.begin // 60), int(self.end // 60) + 1
        best = 0.0
        for facts in self.kept.windows.facts.values():
            if facts.component == component and facts.measure == "throughput":
                told = self.kept.windows.ring(facts.key).minutes(begin, end)
                if told.count.any():
                    mean = float(told.total.sum() / told.count.sum())
                    # a rate by the second, or a number by the value
                    each = 3600.0 if "/s" in facts.unit else float(told.count.sum()) / self.hours_told(told.count)
                    best = max(best, mean * each)
        return best

    @staticmethod
    def hours_told(count: object) -> float:
        """Hours from the first minute with a value to the last."""
        places = np.flatnonzero(np.asarray(count))
        return (int(places[-1]) - int(places[0]) + 1) / 60 if places.size else math.inf

    def file_of(self, component: str, function: str) -> str:
        """Where a function stands; empty where nobody told."""
        return next((f for (c, name, f, _) in self.functions if (c, name) == (component, function) and f), "")

    def opportunity(self, **fields: Any) -> ImprovementOpportunity:
        """One that is met at every hour of the day, as this window shows it."""
        return ImprovementOpportunity.make(
            tenant_id=self.tenant_id, found_at=self.end, frequency_per_day=24.0, **fields
        )
