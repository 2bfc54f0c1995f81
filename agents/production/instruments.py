"""What OpenTelemetry is told of production trajectories.  Without a provider in the process it costs microseconds.

counter   se_darwin.production_trajectories_loaded   attribute `agent`
histogram se_darwin.production_trajectory_quality    0 … 1, attribute `agent`
span      se_darwin.load_production_trajectories     attribute `se_darwin.continuous_improvement_cycles`
"""

from __future__ import annotations

import threading
from collections import Counter as Counts
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from core.records import Trajectory

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram

__all__ = ["loading", "note_cycles"]

CYCLES = "se_darwin.continuous_improvement_cycles"

_lock = threading.Lock()
_cycles = 0


@contextmanager
def loading(agent: str) -> Iterator[Callable[[Sequence[Trajectory]], None]]:
    """A span around one loading; the function takes what was loaded, and counts it by the agent it is from.

    A loading that brought something begins a cycle of improvement; they are counted since the process began.
    """
    from opentelemetry import trace

    with trace.get_tracer("ratchet").start_as_current_span(
        "se_darwin.load_production_trajectories",
        attributes={"se_darwin.agent": agent},
        record_exception=False,
        set_status_on_exception=False,
    ) as span:

        def note(found: Sequence[Trajectory]) -> None:
            global _cycles
            with _lock:
                _cycles += bool(found)
                cycles = _cycles
            span.set_attribute(CYCLES, cycles)
            loaded, quality = _instruments()
            for name, count in Counts(one.metadata.get("agent", "") for one in found).items():
                loaded.add(count, {"agent": name})
            for one in found:
                quality.record(min(1.0, max(0.0, one.success_score)), {"agent": one.metadata.get("agent", "")})

        yield note


def note_cycles(cycles: int) -> None:
    """Write on the current span how many generations have begun with production trajectories."""
    from opentelemetry import trace

    trace.get_current_span().set_attribute(CYCLES, cycles)


@cache
def _instruments() -> tuple[Counter, Histogram]:
    """Made once: an instrument made before there is a provider passes on to the one that comes."""
    from opentelemetry import metrics

    meter = metrics.get_meter("ratchet")
    loaded = meter.create_counter(
        "se_darwin.production_trajectories_loaded", unit="{trajectory}", description="production trajectories loaded"
    )
    quality = meter.create_histogram(
        "se_darwin.production_trajectory_quality",
        unit="1",
        description="success score of the production trajectories loaded",
        explicit_bucket_boundaries_advisory=[n / 10 for n in range(1, 11)],
    )
    return loaded, quality
