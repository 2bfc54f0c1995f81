"""How often clean weeks raise an alarm, and how many planted faults are found.

    python -m benchmarks.live.weeks --clean 1000 --faulty 40

A clean week is analysed once, at its end, whole: 20 series, traces, logs and caches of four components.  A false alarm
is any opportunity in it.  Beside it what the plain 2 σ rule by itself, with the flags, would have raised.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from agents.live.learning_engine import LearningEngine
from core.improvement import ImprovementOpportunity
from core.telemetry import measure_of
from search.trends import Trend, trend
from tests.observed_weeks import FAULTS, SERIES_FAULTS, Expected, Week


def looked_at(week: Week) -> tuple[tuple[Trend, ...], tuple[ImprovementOpportunity, ...]]:
    """The trends of the week's series, and the opportunities of its last hour and of these trends.

    The series go to the arithmetic directly: 200,000 points as records would take most of the time.
    """
    trends = tuple(
        trend(
            np.where(week.missing, np.nan, values), series=series, component=component, measure=measure_of(series, unit)
        )
        for component, series, unit, values in week.series()
    )
    engine = LearningEngine(clock=lambda: week.now)
    engine.ingest_telemetry(week.last_hours())
    found = engine.analyse(window_hours=1).opportunities
    counted = (
        ImprovementOpportunity.make(
            kind="trend", component=one.component, subject=one.series, severity="high", confidence=1,
            performance_gain_percent=0, affected_users_per_hour=0, frequency_per_day=0, requirement="",
            evidence=(str(one),),
        )
        for one in trends
        if one.counts
    )  # fmt: skip
    return trends, (*found, *counted)


def is_it(one: ImprovementOpportunity, wanted: Expected) -> bool:
    about = f"{one.function} {one.subject}"
    return (one.kind, one.component) == (wanted.kind, wanted.component) and wanted.about in about


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clean", type=int, default=200)
    parser.add_argument("--faulty", type=int, default=10, help="weeks of each fault")
    parser.add_argument("--first", type=int, default=100_000, help="the first seed")
    asked = parser.parse_args()
    false, alarmed, trends, plain = Counter[str](), 0, 0, 0
    for seed in range(asked.first, asked.first + asked.clean):
        judged, opportunities = looked_at(Week(seed))
        alarmed += bool(opportunities)
        for one in opportunities:
            false[f"{one.kind} {one.subject or one.function}"] += 1
            print("false:", seed, one.kind, one.component, one.subject, one.evidence[0])
        trends += len(judged)
        plain += any(one.plain == "degraded" and one.flagged for one in judged)
    print(f"clean weeks: {asked.clean}; with a false alarm: {alarmed} ({alarmed / max(asked.clean, 1):.2%})")
    print(f"  by kind: {dict(false)}; per trend judged: {sum(false.values())} of {trends}")
    print(f"  the plain rule with the flags alone: {plain} ({plain / max(asked.clean, 1):.2%})")
    missed = others = 0
    for fault in FAULTS:
        found = plainly = 0
        for seed in range(asked.first, asked.first + asked.faulty):
            week = Week(seed, fault)
            judged, opportunities = looked_at(week)
            wanted = week.expected
            assert wanted is not None
            plainly += any(
                one.plain == "degraded"
                and one.flagged
                and one.component == wanted.component
                and wanted.about in one.series
                for one in judged
            )
            hit = any(is_it(one, wanted) for one in opportunities)
            found += hit
            others += sum(not is_it(one, wanted) for one in opportunities)
            if not hit:
                print("missed:", seed, fault, wanted, [(o.kind, o.subject) for o in opportunities])
        missed += asked.faulty - found
        by_plain = f"; by the plain rule alone {plainly}" if fault in SERIES_FAULTS else ""
        print(f"  {fault}: {found} of {asked.faulty}{by_plain}", flush=True)
    print(f"planted: {asked.faulty * len(FAULTS)}; missed: {missed}; opportunities beside the planted one: {others}")


if __name__ == "__main__":
    main()
