"""Sums of events and log lines by slots of five minutes: what an analysis needs of a week, in little room.

Where a version went live a new slot begins, so that what is told of the code before is not taken for the new one's.
Sums of two parts of the same time add up, so what is dumped may be merged in any order.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from agents.live.requests import OpenRequests, Repeat
from core.telemetry import AlarmTransition, Completion, Deployment, LogLine, TelemetryGap
from search.error_clusters import ErrorCount
from search.templates import masked

__all__ = ["SLOT_S", "FunctionKey", "FunctionSum", "RepeatKey", "RepeatSum", "Tallies"]

SLOT_S = 300
MAX_KEYS = 2_000
"""Of each kind in one slot; what comes beyond is counted as `crowded`."""
MAX_SAMPLES = 12
"""Pairs of size and duration of a function in one slot."""
SMALLEST_HASHES = 64
MAX_NOTES = 2_000
MAX_CUTS = 16
"""Deployments within one slot that begin a new one."""
SLOW_S = 5.0
"""A call that takes longer is a timeout in all but name."""


@dataclass
class FunctionSum:
    """Of one function.  `inner_s` is the time of what it called, `slow` the calls over 5 s, `hashes` the smallest
    hashes of arguments: they tell how many different ones there were."""

    calls: float = 0.0
    total_s: float = 0.0
    inner_s: float = 0.0
    longest_s: float = 0.0
    errors: float = 0.0
    slow: float = 0.0
    with_arguments: float = 0.0
    argument_s: float = 0.0
    hashes: list[int] = field(default_factory=list)
    samples: list[tuple[float, float]] = field(default_factory=list)

    @property
    def own_s(self) -> float:
        return max(0.0, self.total_s - self.inner_s)

    @property
    def distinct(self) -> float:
        """Different arguments, about: exact below 64, within a tenth or so above (Bar-Yossef et al., 2002)."""
        if len(self.hashes) < SMALLEST_HASHES:
            return float(len(self.hashes))
        return (SMALLEST_HASHES - 1) * 2.0**52 / max(self.hashes)

    def add(self, other: FunctionSum) -> None:
        self.calls += other.calls
        self.total_s += other.total_s
        self.inner_s += other.inner_s
        self.longest_s = max(self.longest_s, other.longest_s)
        self.errors += other.errors
        self.slow += other.slow
        self.with_arguments += other.with_arguments
        self.argument_s += other.argument_s
        if other.hashes:
            self.hashes = sorted({*self.hashes, *other.hashes})[:SMALLEST_HASHES]
        self.samples.extend(tuple(one) for one in other.samples)  # type: ignore[misc]


@dataclass
class RepeatSum:
    """Of one repeat: in how many requests, calls and seconds in all, seconds that could be saved."""

    requests: float = 0.0
    calls: float = 0.0
    total_s: float = 0.0
    saved_s: float = 0.0

    def add(self, other: RepeatSum) -> None:
        self.requests += other.requests
        self.calls += other.calls
        self.total_s += other.total_s
        self.saved_s += other.saved_s


FunctionKey = tuple[str, str, str, str]
"""component, function, file, operation"""
RepeatKey = tuple[str, str, str, str]
"""kind, component, caller, subject"""
ErrorKey = tuple[str, str, str]
"""component, error type, masked message"""


@dataclass
class _Slot:
    functions: dict[FunctionKey, FunctionSum] = field(default_factory=dict)
    repeats: dict[RepeatKey, RepeatSum] = field(default_factory=dict)
    errors: dict[ErrorKey, ErrorCount] = field(default_factory=dict)
    lines: float = 0.0


class Tallies:
    """Sums by slot.  `weight` of a log line is 1 / the sampling rate: what was said is counted, not what was kept."""

    def __init__(self, kept_s: float) -> None:
        self.kept_s = kept_s
        self.crowded = 0
        self.gaps: list[TelemetryGap] = []
        self.alarms: list[AlarmTransition] = []
        self.deployments: list[Deployment] = []
        self.newest = 0.0
        self._slots: dict[float, _Slot] = {}
        self._cuts: dict[int, list[float]] = {}
        self._requests = OpenRequests()

    def completion(self, one: Completion) -> None:
        key = (one.component, one.function, one.file, one.operation)
        told = FunctionSum(
            calls=1, total_s=one.duration_s, longest_s=one.duration_s, errors=float(not one.ok or bool(one.error_type)),
            slow=float(one.duration_s > SLOW_S),
        )  # fmt: skip
        if one.arguments:
            told.with_arguments, told.argument_s = 1, one.duration_s
            told.hashes = [_hash(f"{one.statement}\0{one.arguments}")]
        slot = self._slot(one.at)
        kept = self._of(slot.functions, key, FunctionSum)
        if kept is not None:
            if one.size is not None and math.isfinite(one.size) and len(kept.samples) < MAX_SAMPLES:
                told.samples = [(one.size, one.duration_s)]
            kept.add(told)
        if one.caller:
            # what is called ends before its caller: the sum may come first
            caller = self._of(slot.functions, (one.component, one.caller, "", ""), FunctionSum)
            if caller is not None:
                caller.inner_s += one.duration_s
        if one.trace_id:
            self._requests.add(one)
        self.newest = max(self.newest, one.at)

    def line(self, one: LogLine, weight: float) -> None:
        slot = self._slot(one.at)
        slot.lines += weight
        self.newest = max(self.newest, one.at)
        if not one.is_error:
            return
        key = (one.component, one.error_type, masked(one.message))
        before = slot.errors.get(key)
        if before is None and len(slot.errors) >= MAX_KEYS:
            self.crowded += 1
            return
        told = ErrorCount(*key, weight, one.at, one.message[:400], one.stack[:4000])
        slot.errors[key] = told if before is None else _added(before, told)

    def note(self, one: AlarmTransition | Deployment | TelemetryGap) -> None:
        if isinstance(one, TelemetryGap):
            self.gaps = [*self.gaps[1 - MAX_NOTES :], one]
            return
        if isinstance(one, AlarmTransition):
            self.alarms = [*self.alarms[1 - MAX_NOTES :], one]
        else:
            self.deployments = [*self.deployments[1 - MAX_NOTES :], one]
            self._cut(one.at)
        self.newest = max(self.newest, one.at)

    def cut_as(self, other: Tallies) -> None:
        """Begin slots where the other one does."""
        self._cuts = {number: list(cuts) for number, cuts in other._cuts.items()}

    def close_requests(self, now: float = math.inf) -> None:
        """Count the requests that are over by `now`."""
        for one in self._requests.finished(now):
            self._repeat(one)

    def functions(self, begin: float, end: float) -> dict[FunctionKey, FunctionSum]:
        found: dict[FunctionKey, FunctionSum] = {}
        for slot in self._between(begin, end):
            for key, one in slot.functions.items():
                found.setdefault(key, FunctionSum()).add(one)
        # time inside is told of a name only: it belongs to that name, whatever its file
        for component, name, file, operation in [key for key in found if not key[2] and not key[3]]:
            inner = found.pop((component, name, file, operation))
            owner = next((key for key in found if key[0] == component and key[1] == name), None)
            if owner is not None:
                found[owner].inner_s += inner.inner_s
        return found

    def repeats(self, begin: float, end: float) -> dict[RepeatKey, RepeatSum]:
        """Of requests that are over, and of those still open."""
        found: dict[RepeatKey, RepeatSum] = {}
        for slot in self._between(begin, end):
            for key, one in slot.repeats.items():
                found.setdefault(key, RepeatSum()).add(one)
        for part in self._requests.open():
            if begin <= part.at < end:
                found.setdefault(_repeat_key(part), RepeatSum()).add(_repeat_sum(part))
        return found

    def errors(self, begin: float, end: float) -> list[ErrorCount]:
        found: dict[ErrorKey, ErrorCount] = {}
        for slot in self._between(begin, end):
            for key, one in slot.errors.items():
                found[key] = _added(found[key], one) if key in found else one
        return list(found.values())

    def lines(self, begin: float, end: float) -> float:
        return sum(slot.lines for slot in self._between(begin, end))

    def span_s(self, begin: float, end: float) -> float:
        """Seconds from the first slot that holds something to the end of the last, within the window; 0 for none."""
        begins = [at for at in self._slots if self._end(at) > begin and at <= end]
        if not begins:
            return 0.0
        return max(0.0, min(end, self._end(max(begins))) - max(begin, min(begins)))

    def forget(self, before: float) -> None:
        for at in [at for at in self._slots if self._end(at) < before]:
            del self._slots[at]
        for number in [number for number in self._cuts if (number + 1) * SLOT_S < before]:
            del self._cuts[number]

    def dump(self) -> dict[str, Any]:
        """All of it as JSON data; open requests are counted as they are."""
        self.close_requests()
        return {
            "slots": [
                {
                    "slot": int(at // SLOT_S),
                    "begin": at,
                    "functions": [[*key, asdict(one)] for key, one in slot.functions.items()],
                    "repeats": [[*key, asdict(one)] for key, one in slot.repeats.items()],
                    "errors": [asdict(one) for one in slot.errors.values()],
                    "lines": slot.lines,
                }
                for at, slot in self._slots.items()
            ],
            "gaps": [one.model_dump(mode="json") for one in self.gaps],
            "alarms": [one.model_dump(mode="json") for one in self.alarms],
            "deployments": [one.model_dump(mode="json") for one in self.deployments],
            "newest": self.newest,
        }

    def merge(self, told: dict[str, Any]) -> None:
        for part in told["slots"]:
            begin = float(part.get("begin", part["slot"] * SLOT_S))  # segments of earlier versions have none
            if begin % SLOT_S:
                self._cut(begin)
            slot = self._slots.setdefault(begin, _Slot())
            slot.lines += part["lines"]
            for *key, one in part["functions"]:
                slot.functions.setdefault(tuple(key), FunctionSum()).add(FunctionSum(**one))
            for *key, one in part["repeats"]:
                slot.repeats.setdefault(tuple(key), RepeatSum()).add(RepeatSum(**one))
            for one in part["errors"]:
                count = ErrorCount(**one)
                error = (count.component, count.error_type, count.message)
                slot.errors[error] = _added(slot.errors[error], count) if error in slot.errors else count
        for gap in told["gaps"]:
            self.note(TelemetryGap(**gap))
        for alarm in told["alarms"]:
            self.note(AlarmTransition(**alarm))
        for deployment in told["deployments"]:
            self.note(Deployment(**deployment))
        self.newest = max(self.newest, told["newest"])

    def _repeat(self, one: Repeat) -> None:
        kept = self._of(self._slot(one.at).repeats, _repeat_key(one), RepeatSum)
        if kept is not None:
            kept.add(_repeat_sum(one))

    def _of(self, sums: dict[Any, Any], key: Any, new: Any) -> Any:
        """The sum under `key`, made if there is room."""
        if key not in sums:
            if len(sums) >= MAX_KEYS:
                self.crowded += 1
                return None
            sums[key] = new()
        return sums[key]

    def _slot(self, at: float) -> _Slot:
        number = int(at // SLOT_S)
        begin = max((cut for cut in self._cuts.get(number, ()) if cut <= at), default=float(number * SLOT_S))
        return self._slots.setdefault(begin, _Slot())

    def _cut(self, at: float) -> None:
        """From here on a new slot is filled; what was counted already stays where it is."""
        cuts = self._cuts.setdefault(int(at // SLOT_S), [])
        if at not in cuts and len(cuts) < MAX_CUTS:
            cuts.append(at)

    def _end(self, begin: float) -> float:
        """Of the slot that begins there."""
        number = int(begin // SLOT_S)
        cuts = self._cuts.get(number, ())
        return min((cut for cut in cuts if cut > begin), default=float((number + 1) * SLOT_S))

    def _between(self, begin: float, end: float) -> Iterator[_Slot]:
        """Slots that begin within the window, its ends taken in, and the one it begins in."""
        for at in sorted(self._slots):
            if self._end(at) > begin and at <= end:
                yield self._slots[at]


def _repeat_key(one: Repeat) -> RepeatKey:
    return one.kind, one.component, one.caller, one.subject


def _repeat_sum(one: Repeat) -> RepeatSum:
    return RepeatSum(1, one.calls, one.total_s, one.saved_s)


def _added(a: ErrorCount, b: ErrorCount) -> ErrorCount:
    last = max(a, b, key=lambda one: one.last_at)
    return ErrorCount(
        a.component, a.error_type, a.message, a.count + b.count, last.last_at,
        last.example or a.example, last.stack or a.stack or b.stack,
    )  # fmt: skip


def _hash(text: str) -> int:
    """52 bits, which JSON keeps exactly."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest()) >> 4
