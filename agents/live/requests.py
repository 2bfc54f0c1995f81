"""What happens many times within one request: the same query with other values (N+1), the same call with the same.

A request is a trace.  Values of a query are among its arguments.  It is counted when nothing was told of it for IDLE_S,
or when everything is counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from core.telemetry import Completion
from search.templates import statement_template

__all__ = ["OpenRequests", "Repeat"]

IDLE_S = 30.0
MAX_OPEN = 5_000
MAX_PARTS = 2_000
"""Of one request; a request with more is not looked at further, and is N+1 enough."""
N_PLUS_ONE = 5
"""The same query so often within a request is a loop, not chance."""


@dataclass(frozen=True)
class Repeat:
    """Within one request: `calls` of `subject` from `caller`, of which all but one could be saved."""

    kind: str
    component: str
    caller: str
    subject: str
    calls: int
    total_s: float
    at: float

    @property
    def saved_s(self) -> float:
        return self.total_s * (self.calls - 1) / self.calls


class OpenRequests:
    """Requests that may still go on."""

    def __init__(self) -> None:
        self._open: dict[str, list[Completion]] = {}
        self._last: dict[str, float] = {}

    def add(self, one: Completion) -> None:
        parts = self._open.setdefault(one.trace_id, [])
        if len(parts) < MAX_PARTS:
            parts.append(one)
        self._last[one.trace_id] = max(one.at, self._last.get(one.trace_id, one.at))

    def finished(self, now: float) -> Iterator[Repeat]:
        """The repeats of requests that are over by `now`; these are forgotten."""
        over = [trace for trace, last in self._last.items() if now - last > IDLE_S]
        if len(self._open) - len(over) > MAX_OPEN:
            over = sorted(self._last, key=self._last.__getitem__)[: len(self._open) - MAX_OPEN // 2]
        for trace in over:
            del self._last[trace]
            yield from repeats(self._open.pop(trace))

    def open(self) -> Iterator[Repeat]:
        """The repeats of those that go on, so far."""
        for parts in self._open.values():
            yield from repeats(parts)


def repeats(parts: list[Completion]) -> Iterator[Repeat]:
    """What repeats within the parts of one request."""
    same: dict[tuple[str, str, str, str], list[Completion]] = defaultdict(list)
    alike: dict[tuple[str, str, str], list[Completion]] = defaultdict(list)
    for one in parts:
        if one.operation == "query":
            template = statement_template(one.statement or one.function)
            alike[one.component, one.caller, template].append(one)
            if one.arguments:
                same[one.component, one.caller, template, one.arguments].append(one)
        elif one.operation != "request" and one.arguments:
            same[one.component, one.caller, one.function, one.arguments].append(one)
    redundant: Counter[tuple[str, str, str]] = Counter()
    merged: dict[tuple[str, str, str], list[list[Completion]]] = defaultdict(list)
    for (component, caller, subject, _), members in same.items():
        if len(members) > 1:
            redundant[component, caller, subject] += len(members) - 1
            merged[component, caller, subject].append(members)
    for (component, caller, subject), groups in merged.items():
        calls = [one for group in groups for one in group]
        # several groups of equal calls: of each all but one are saved, which `saved_s` approaches
        per_group = len(calls) / len(groups)
        total = sum(one.duration_s for one in calls)
        yield Repeat(
            "redundant_call", component, caller, subject, round(per_group), total, max(one.at for one in calls)
        )
    for (component, caller, template), members in alike.items():
        distinct = len(members) - redundant[component, caller, template]
        if distinct >= N_PLUS_ONE:
            total = sum(one.duration_s for one in members)
            yield Repeat("n_plus_one", component, caller, template, len(members), total, max(m.at for m in members))
