"""What the service tells of itself: JSON lines in a file, and figures in Prometheus' text format.

A line is written for every request, query, finished function and error, and once a second for the rate of requests, the
share of failed ones and the share of hits of every cache.  Lines of one request share its number.  A thread of its own
writes them, so that no request waits for the disk.
"""

from __future__ import annotations

import contextvars
import functools
import itertools
import json
import queue
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sized
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["Recorder", "watch_functions"]

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
MOST_WAITING = 20_000
"""Lines that wait to be written; further ones are dropped and counted."""
TICK_S = 1.0
COMPONENT = "shop"
_request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="")
_function: contextvars.ContextVar[str] = contextvars.ContextVar("function", default="")


class Recorder:
    """Keeps counts, and writes lines to `path` where one is given."""

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self.dropped = 0
        self._clock = clock
        self._numbers = itertools.count(1)
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds: dict[str, list[int]] = {}
        self._sums: Counter[str] = Counter()
        self._caches: Counter[tuple[str, bool]] = Counter()
        self._lock = threading.Lock()
        self._waiting: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._writer = threading.Thread(target=self._write, args=(path,), daemon=True) if path else None
        if self._writer:
            self._writer.start()

    def begin(self) -> str:
        """A new request: what is told until the next one in this context belongs to it."""
        number = f"r{next(self._numbers)}"
        _request.set(number)
        return number

    def request(self, route: str, status: int, seconds: float) -> None:
        with self._lock:
            self._requests[route, status] += 1
            counts = self._seconds.setdefault(route, [0] * (len(BUCKETS) + 1))
            counts[bisect_left(BUCKETS, seconds)] += 1
            self._sums[route] += seconds
        self._complete(route, "request", seconds, ok=status < 500)

    def function(self, name: str, seconds: float, size: int, arguments: str) -> None:
        """`name` is `shop.module:function`; what stands before `shop.` tells versions apart, and is left out."""
        module, _, function = name.partition(":")
        file = f"shop/{module.rpartition('shop.')[2]}.py"
        self._complete(function, "function", seconds, file=file, size=size, arguments=arguments)

    def query(self, template: str, seconds: float) -> None:
        self._complete("rows", "query", seconds, file="shop/database.py", statement=template)

    def cache(self, name: str, hit: bool) -> None:
        with self._lock:
            self._caches[name, hit] += 1

    def error(self, route: str, error: Exception) -> None:
        kind = type(error).__name__
        self._tell("log", level="error", message=f"{route}: {error}", error_type=kind, trace_id=_request.get())

    def metrics(self) -> str:
        """All counts since the start, in Prometheus' text format."""
        with self._lock:
            requests, caches = dict(self._requests), dict(self._caches)
            seconds, sums = {route: list(counts) for route, counts in self._seconds.items()}, dict(self._sums)
        lines = ["# TYPE shop_requests_total counter"]
        lines += [
            f'shop_requests_total{{route="{route}",status="{status}"}} {count}'
            for (route, status), count in sorted(requests.items())
        ]
        lines.append("# TYPE shop_request_seconds histogram")
        for route, counts in sorted(seconds.items()):
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), itertools.accumulate(counts), strict=True):
                lines.append(f'shop_request_seconds_bucket{{route="{route}",le="{bound}"}} {count}')
            lines.append(f'shop_request_seconds_sum{{route="{route}"}} {sums[route]:.6f}')
            lines.append(f'shop_request_seconds_count{{route="{route}"}} {sum(counts)}')
        lines.append("# TYPE shop_cache_lookups_total counter")
        lines += [
            f'shop_cache_lookups_total{{cache="{name}",hit="{str(hit).lower()}"}} {count}'
            for (name, hit), count in sorted(caches.items())
        ]
        return "\n".join(lines) + "\n"

    def close(self) -> None:
        """Write what waits."""
        if self._writer:
            self._waiting.put(None)
            self._writer.join()

    def _complete(self, function: str, operation: str, seconds: float, **more: Any) -> None:
        self._tell(
            "completion",
            function=function,
            operation=operation,
            duration_s=seconds,
            trace_id=_request.get(),
            caller=_function.get(),
            **more,
        )

    def _tell(self, kind: str, **fields: Any) -> None:
        if self._writer is None:
            return
        line = {"kind": kind, "at": round(self._clock(), 6), "component": COMPONENT, **fields}
        try:
            self._waiting.put_nowait(json.dumps(line))
        except queue.Full:
            self.dropped += 1

    def _write(self, path: Path) -> None:
        """Lines as they come, and once a second the figures of that second."""
        before, due = self._figures(), time.monotonic() + TICK_S
        with path.open("a", encoding="utf-8", buffering=1) as file:
            while True:
                try:
                    line = self._waiting.get(timeout=max(0.01, due - time.monotonic()))
                except queue.Empty:
                    line = ""
                if line is None:
                    return
                if line:
                    file.write(line + "\n")
                if time.monotonic() >= due:
                    due, now = due + TICK_S, self._figures()
                    file.writelines(json.dumps(point) + "\n" for point in self._points(before, now))
                    before = now

    def _figures(self) -> dict[str, float]:
        """Counts since the start: requests, failed ones, look-ups of each cache and their hits."""
        with self._lock:
            told = {
                "requests": float(sum(self._requests.values())),
                "failed": float(sum(count for (_, status), count in self._requests.items() if status >= 500)),
            }
            for (name, hit), count in self._caches.items():
                told[f"lookups {name}"] = told.get(f"lookups {name}", 0.0) + count
                told[f"hits {name}"] = told.get(f"hits {name}", 0.0) + count * hit
        return told

    def _points(self, before: dict[str, float], now: dict[str, float]) -> list[dict[str, Any]]:
        """What happened between two sets of figures, a second apart, as values of series."""
        grown = {name: count - before.get(name, 0.0) for name, count in now.items()}
        values = [("requests_per_second", "1/s", {}, grown["requests"] / TICK_S)]
        if grown["requests"]:
            values.append(("error_rate", "1", {}, grown["failed"] / grown["requests"]))
        for name, lookups in grown.items():
            if name.startswith("lookups ") and lookups:
                cache = name.removeprefix("lookups ")
                values.append(("cache_hit_rate", "1", {"cache": cache}, grown[f"hits {cache}"] / lookups))
        at = round(self._clock(), 6)
        return [
            {"kind": "metric", "at": at, "component": COMPONENT, "series": s, "unit": u, "labels": labels, "value": v}
            for s, u, labels, v in values
        ]


def watch_functions(module: ModuleType, names: tuple[str, ...], recorder: Recorder) -> None:
    """Put a stopwatch around functions of a module, where they stand: calls within the module are seen too.

    To be called again when the module was loaded anew.
    """
    for name in names:
        function = getattr(module, name)
        function = getattr(function, "watched", function)  # under another stopwatch, perhaps
        setattr(module, name, _watched(f"{module.__name__}:{name}", function, recorder))


def _watched(name: str, function: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    @functools.wraps(function)
    def timed(*values: Any, **named: Any) -> Any:
        caller = _function.set(name.partition(":")[2])
        begun = time.perf_counter()
        try:
            return function(*values, **named)
        finally:
            seconds = time.perf_counter() - begun
            _function.reset(caller)
            given = (*values, *named.values())
            recorder.function(name, seconds, _size(given), format(hash(repr(given)) & 0xFFFFFFFF, "08x"))

    timed.watched = function  # type: ignore[attr-defined]
    return timed


def _size(values: tuple[Any, ...]) -> int:
    """How much a function was given: the lengths of what has one, and whole numbers by their value."""
    sized = sum(len(v) for v in values if isinstance(v, Sized) and not isinstance(v, str))
    return sized or sum(v for v in values if isinstance(v, int) and v > 0)
