"""What a week of many series costs: memory, an analysis, a restart.

    python -m benchmarks.live.windows --series 200 --folder /tmp/telemetry

One value a minute and series, over 7 days and an hour, through the engine's own door.  Without a folder nothing is
written.  Memory is the resident set of the process, less what it had before the engine.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from agents.live.learning_engine import LearningEngine
from core.telemetry import MetricPoint

NOW = 1_796_040_000.0
MINUTES = 7 * 1440 + 60


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--minutes", type=int, default=MINUTES)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    clock = [NOW - 60.0 * asked.minutes]
    before = resident_mb()
    engine = LearningEngine(asked.folder, clock=lambda: clock[0])
    rng, begun = np.random.default_rng(0), time.process_time()
    levels = rng.lognormal(-2, 1, asked.series)
    for minute in range(asked.minutes):
        clock[0] = NOW - 60.0 * (asked.minutes - minute)
        values = levels * rng.lognormal(0, 0.3, asked.series)
        engine.ingest_telemetry(
            MetricPoint(series=f"latency_{place}", component="web", unit="s", at=clock[0], value=float(value))
            for place, value in enumerate(values)
        )
    clock[0] = NOW
    each = (time.process_time() - begun) / asked.minutes
    print(f"{asked.series} series, {asked.minutes} minutes: {each * 1000:.1f} ms CPU a minute to take in")
    print(f"memory: {resident_mb() - before:.0f} MB")
    for _ in range(3):
        wall, begun = time.perf_counter(), time.process_time()
        seen = engine.analyse()
        print(
            f"analysis: {time.process_time() - begun:.3f} s CPU, {time.perf_counter() - wall:.3f} s; "
            f"{len(seen.trends)} trends, {sum(one.health == 'unknown' for one in seen.trends)} unknown"
        )
    if asked.folder is not None:
        engine.close()
        kept = sum(path.stat().st_size for path in asked.folder.iterdir())
        begun = time.process_time()
        again = LearningEngine(asked.folder, clock=lambda: NOW)
        print(f"restart: {time.process_time() - begun:.2f} s CPU; {kept / 1e6:.0f} MB on the disk; {again.damaged}")
        assert again.analyse().trends == seen.trends
        again.close()


if __name__ == "__main__":
    main()
