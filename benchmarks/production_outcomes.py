"""What logging real work costs: the store, plans, trajectories, the caller's share, and telemetry.

    python benchmarks/production_outcomes.py [--outcomes 500] [--embedding all-MiniLM-L6-v2]

The store is a ledger on disk with the real embedder and the Chroma index, filled with outcomes of four agents.
Reference: trajectory generation 50 ms, store query 120 ms, loading 180 ms, plan extraction 150 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.production import (
    BuilderAgent,
    OutcomeTrajectoryLogger,
    extract_plan,
    load_production_trajectories,
    trajectory_of,
)
from core.production import ProductionOutcome
from memory.outcomes import OutcomeStore

REFERENCE_MS = {"trajectory": 50.0, "query": 120.0, "load": 180.0, "plan": 150.0}
TASKS = (
    "parse a log file",
    "draw a chart of sales",
    "sort records by date",
    "call a web service",
    "test a parser",
    "cache the answers of a database",
    "find duplicates in a list",
)
TELEMETRY_SHARE = 0.01


def outcome(number: int) -> ProductionOutcome:
    task = TASKS[number % len(TASKS)]
    return ProductionOutcome(
        agent=("builder", "qa", "refiner", "analyst")[number % 4],
        task=f"{task} for customer {number}",
        task_type="code_generation",
        success=number % 5 != 0,
        failure_reasons=() if number % 5 else ("a test failed",),
        result={"code": f"def work_{number}(rows):\n" + "    rows = sorted(rows)\n" * 30 + "    return rows\n"},
        execution_path=("read the specification", f"write work_{number}", "run pytest", "fix two findings of ruff"),
        tools_used=("pytest", "ruff"),
        duration_s=2.0,
        started_at=float(number),
    )


def milliseconds(work: Callable[[], Any], times: int) -> tuple[float, float]:
    """Median and 95th percentile."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(1e3 * (time.perf_counter() - began))
    return statistics.median(took), sorted(took)[int(0.95 * (len(took) - 1))]


async def caller(store: OutcomeStore, times: int) -> tuple[float, float, float]:
    """Microseconds that logging adds to the caller's await, of a CPU-free function; then seconds to store all."""

    async def generate() -> dict[str, str]:
        return {"code": "x = 1\n" * 100}

    async with OutcomeTrajectoryLogger(store, max_pending=10 * times) as logger:
        agent = BuilderAgent(logger)
        bare, logged = [], []
        for n in range(times):
            began = time.perf_counter()
            await generate()
            between = time.perf_counter()
            await agent.generate_code_with_logging(f"task {n}", generate)
            logged.append(time.perf_counter() - between)
            bare.append(between - began)
            await asyncio.sleep(0)
        began = time.perf_counter()
        await logger.flush()
        stored = time.perf_counter() - began
    assert logger.counts.logged == times, logger.counts
    return 1e6 * (statistics.median(logged) - statistics.median(bare)), 1e6 * max(logged), stored / times


def telemetry_share(store: OutcomeStore, times: int) -> tuple[float, float]:
    """Microseconds that OpenTelemetry adds to a loading, with providers that keep everything; and its share."""
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from agents.production.instruments import loading

    found = asyncio.run(load_production_trajectories(store=store))
    tracing = TracerProvider()
    tracing.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(MeterProvider(metric_readers=[InMemoryMetricReader()]))

    def told() -> None:
        with loading("all") as note:
            note(found)

    own, _ = milliseconds(told, 50 * times)
    whole, _ = milliseconds(lambda: asyncio.run(load_production_trajectories(store=store)), times)
    return 1e3 * own, own / whole


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--outcomes", type=int, default=500)
    arguments.add_argument("--embedding", default="all-MiniLM-L6-v2")
    arguments.add_argument("--times", type=int, default=40)
    told = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory() as place,
        OutcomeStore.open(Path(place) / "home", embedding_model=told.embedding) as store,
    ):
        asyncio.run(run(store, told.outcomes, told.times))


async def fill(store: OutcomeStore, outcomes: int) -> float:
    began = time.perf_counter()
    async with OutcomeTrajectoryLogger(store, max_pending=outcomes + 1) as logger:
        for number in range(outcomes):
            logger.log_soon(outcome(number))
        await logger.flush()
    assert logger.counts.logged == outcomes, logger.counts
    return time.perf_counter() - began


async def run(store: OutcomeStore, outcomes: int, times: int) -> None:
    loop = asyncio.get_running_loop()
    took = await fill(store, outcomes)
    print(f"storing: {1e3 * took / outcomes:.1f} ms an outcome with its plan, {outcomes} outcomes, in the background")
    one = outcome(1)
    plan = extract_plan(one)
    shown = {
        "plan": milliseconds(lambda: extract_plan(one), 10 * times),
        "trajectory": milliseconds(lambda: trajectory_of(one, plan), 10 * times),
        "query": await loop.run_in_executor(
            None, milliseconds, lambda: store.search(("outcomes",), query="read a log and parse it", limit=10), times
        ),
        "load": await loop.run_in_executor(
            None, milliseconds, lambda: asyncio.run(load_production_trajectories(store=store)), times
        ),
    }
    for name, (median, high) in shown.items():
        print(f"{name}: {median:.3g} ms, 95 % below {high:.3g} ms; reference {REFERENCE_MS[name]:g} ms")
    added, worst, stored = await caller(store, times)
    print(
        f"the caller: {added:.0f} us more for a logged call, at worst {worst:.0f} us; stored {1e3 * stored:.1f} ms each"
    )
    own, share = await loop.run_in_executor(None, telemetry_share, store, times)
    print(f"telemetry: {own:.0f} us a loading, {100 * share:.2f} % of it")
    slow = [name for name, (_, high) in shown.items() if high > REFERENCE_MS[name]]
    if slow or share > TELEMETRY_SHARE:
        raise SystemExit(f"not better than the reference: {', '.join(slow) or 'telemetry'}")


if __name__ == "__main__":
    main()
