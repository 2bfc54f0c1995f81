"""The learning engine through its two doors: what is taken, what is found, and what a restart or a kill leaves."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agents.live.learning_engine import LearningEngine
from agents.live.streaming import Stream
from core.errors import BusyError, StorageError
from core.improvement import ImprovementSettings
from core.telemetry import AlarmTransition, Completion, Deployment, LogLine, MetricPoint, TelemetryGap
from runtime.observed import Reading
from tests.conftest import Disk
from tests.observed_weeks import EVENT_FAULTS, NOW, Week

ROOT = Path(__file__).resolve().parents[3]


def points(count: int, *, until: float = NOW, value: float = 0.1, series: str = "latency") -> list[MetricPoint]:
    """One a minute, the last of them in the last whole minute."""
    return [
        MetricPoint(series=series, component="web", unit="s", at=until - 60 * (number + 1) + 30, value=value)
        for number in range(count)
    ]


def engine(folder: Path | None = None, **settings: float) -> LearningEngine:
    return LearningEngine(folder, ImprovementSettings(**settings), clock=lambda: NOW)


def test_what_is_no_number_or_not_yet_is_set_aside_and_counted() -> None:
    one = engine()
    told = one.ingest_telemetry(
        [
            MetricPoint(series="a", at=NOW, value=math.nan),
            MetricPoint(series="a", at=NOW, value=math.inf),
            MetricPoint(series="a", at=math.nan, value=1),
            MetricPoint(series="a", at=NOW + 3600, value=1),
            MetricPoint(series="a", at=NOW - 30 * 86400, value=1),
            MetricPoint(series="a", at=NOW, value=1),
            {"kind": "metric", "series": "a"},
            {"kind": "metric", "series": "a", "at": NOW - 60, "value": 2},
        ]
    )
    assert told.taken == 2
    assert told.aside == {"not_finite": 3, "future": 1, "old": 1, "unreadable": 1}
    assert one.analyse().set_aside == told.aside


def test_silence_is_unknown_and_never_healthy() -> None:
    one = engine()
    one.ingest_telemetry(points(3000, until=NOW - 2 * 3600))
    seen = one.analyse()
    assert seen.health == {"web": "unknown"}
    assert seen.trends[0].health == "unknown"
    (gap,) = seen.gaps
    assert gap.end - gap.begin == pytest.approx(2 * 3600, abs=120)
    assert any("web/latency" in text for text in seen.unknown)
    one.ingest_telemetry(points(60))
    assert one.analyse().health == {"web": "healthy"}


def test_what_a_source_could_not_get_is_told_as_unknown() -> None:
    one = engine()
    one.ingest_telemetry([TelemetryGap(source="cloudwatch/metrics", begin=NOW - 600, end=NOW, reason="throttled")])
    assert one.analyse().unknown == ("cloudwatch/metrics: throttled for 10 minutes",)


def test_an_event_told_twice_within_the_window_is_one() -> None:
    one = engine()
    alarm = AlarmTransition(at=NOW - 500, alarm="slow", after="alarm")
    later = alarm.model_copy(update={"at": NOW - 201})
    much_later = alarm.model_copy(update={"at": NOW - 200})
    done = Completion(at=NOW, function="f", duration_s=1.0)
    told = one.ingest_telemetry([alarm, later, much_later, done, done])
    assert (told.taken, told.aside) == (3, {"repeated": 2})
    assert [(a.alarm, a.at) for a in one.analyse().alarms] == [("slow", NOW - 200)]
    one.ingest_telemetry([AlarmTransition(at=NOW - 10, alarm="slow", before="alarm", after="ok")])
    assert not one.analyse().alarms


def test_logs_are_sampled_alike_every_time_and_counted_as_if_whole() -> None:
    lines = [LogLine(at=NOW - i, level="error", component="web", message=f"bad {i}") for i in range(2000)]
    first, again = engine(log_sampling_rate=0.25), engine(log_sampling_rate=0.25)
    told = first.ingest_telemetry(lines)
    assert told == again.ingest_telemetry(list(reversed(lines)))
    assert 400 < told.taken < 600
    assert first.analyse().clusters[0].count == pytest.approx(4 * told.taken)


def test_no_secret_is_kept_and_equal_values_are_still_told_apart(tmp_path: Path) -> None:
    one, secret = engine(tmp_path), "AKIAIOSFODNN7EXAMPLE"
    people = [f"person{number}@example.com" for number in range(8)]
    common = {"at": NOW - 60, "component": "web", "operation": "query", "duration_s": 0.1, "caller": "f"}
    for trace in range(5):
        one.ingest_telemetry(
            [
                LogLine(at=NOW - 60, level="error", message=f"password=hunter22 {secret}", stack=secret),
                AlarmTransition(at=NOW - 60, alarm=f"a{trace}", after="alarm", reason=f"token: {secret}"),
                *(
                    Completion(
                        function="q", statement=f"SELECT a FROM b WHERE c = '{person}'", trace_id=str(trace),
                        arguments=person, id=f"{trace}-{number}", **common,
                    )
                    for number, person in enumerate(people)
                ),
            ]
        )  # fmt: skip
    seen = one.analyse()
    # eight different values: a loop of queries, and no call that is made twice
    assert [o.kind for o in seen.opportunities] == ["n_plus_one"]
    one.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode() + seen.model_dump_json()
    assert not [text for text in (secret, "hunter22", "person1") if text in kept]
    again = engine(tmp_path)
    assert [o.kind for o in again.analyse().opportunities] == ["n_plus_one"]
    again.close()


def test_a_stream_ends_when_told_and_reads_what_is_there(tmp_path: Path) -> None:
    async def streamed() -> None:
        stop = asyncio.Event()
        flow = asyncio.create_task(Stream(one, [Broken(), Once()]).run(stop, interval_s=3600, clock=lambda: NOW))
        stop.set()  # what is there when it is told to end is still read
        await flow

    one = engine()
    asyncio.run(streamed())
    seen = one.analyse()
    assert seen.counts["errors"] == 500
    assert any("broken" in text for text in seen.unknown)


def test_a_clean_last_hour_finds_nothing() -> None:
    for seed in range(3):
        week = Week(seed)
        one = LearningEngine(clock=lambda now=week.now: now)
        one.ingest_telemetry(week.last_hours(120))
        assert not one.analyse(window_hours=1).opportunities


@pytest.mark.parametrize("fault", EVENT_FAULTS)
def test_every_planted_fault_is_found(fault: str) -> None:
    week = Week(7, fault)
    one = LearningEngine(clock=lambda: week.now)
    one.ingest_telemetry(week.last_hours(120))
    found = one.analyse(window_hours=1).opportunities
    wanted = week.expected
    assert wanted is not None
    assert [(o.kind, o.component) for o in found] == [(wanted.kind, wanted.component)]
    assert wanted.about in f"{found[0].function} {found[0].subject}"
    assert found[0].impact > 0
    assert found[0].evidence


def test_a_planted_latency_is_found_among_the_series_of_a_week() -> None:
    week = Week(11, "latency")
    one = LearningEngine(clock=lambda: week.now)
    one.ingest_telemetry(
        MetricPoint(series=series, component=component, unit=unit, at=float(at), value=float(value))
        for component, series, unit, values in week.series()
        if (component, series) in ((week.broken, "latency"), ("web", "throughput"), (week.broken, "cpu_utilisation"))
        for at, value in zip(week.times, values, strict=True)
    )
    seen = one.analyse()
    assert [(o.kind, o.component, o.subject) for o in seen.opportunities] == [("trend", week.broken, "latency")]
    assert seen.health[week.broken] == "degraded"


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    week = Week(3, "n_plus_one")
    whole = LearningEngine(clock=lambda: week.now)
    records = list(week.last_hours(60))
    whole.ingest_telemetry(records)
    for begin in range(0, len(records), 700):
        # a small journal, so that some of it has become segments
        part = LearningEngine(tmp_path, clock=lambda: week.now, journal_bytes=150_000)
        assert part.position("file") == (begin - 700 if begin else None)
        part.ingest_telemetry(records[begin : begin + 700], position=("file", begin))
        part.close()
    assert len(list(tmp_path.glob("segment-*"))) > 1
    part = LearningEngine(tmp_path, clock=lambda: week.now)
    assert part.damaged == ()
    before, after = whole.analyse(window_hours=1), part.analyse(window_hours=1)
    assert after.counts == before.counts
    assert [(o.kind, o.id) for o in after.opportunities] == [(o.kind, o.id) for o in before.opportunities]
    assert part.ingest_telemetry([r for r in records if isinstance(r, Completion)][-8:]).aside == {"repeated": 8}
    part.close()


@pytest.mark.parametrize("journal_bytes", [10, 10_000_000])
def test_what_is_told_of_the_code_before_a_deployment_is_not_the_new_ones(tmp_path: Path, journal_bytes: int) -> None:
    def requests(since: float, seconds: float) -> list[Completion]:
        return [
            Completion(
                at=since + number / 10,
                component="shop",
                function="GET /",
                operation="request",
                duration_s=seconds,
                id=f"{since}-{number}",
            )
            for number in range(100)
        ]

    went_live = NOW - NOW % 300 + 100  # within a slot of the sums
    first = LearningEngine(tmp_path, clock=lambda: went_live + 30, journal_bytes=journal_bytes)
    first.ingest_telemetry(requests(went_live - 20, 0.2))
    first.ingest_telemetry([Deployment(at=went_live, component="shop", revision="r2")])
    first.ingest_telemetry(requests(went_live + 5, 0.1))
    since = 20 / 3600
    told = first.analyse(went_live + 20, since)
    assert told.counts["requests"] == 100
    assert first.analyse(went_live + 20).counts["requests"] == 200
    first.close()
    again = LearningEngine(tmp_path, clock=lambda: went_live + 30)
    assert again.analyse(went_live + 20, since) == told
    again.close()


def test_two_processes_cannot_take_in_one_folder(tmp_path: Path) -> None:
    one = engine(tmp_path)
    with pytest.raises(BusyError):
        engine(tmp_path)
    one.close()
    engine(tmp_path).close()


def test_a_damaged_segment_is_set_aside_and_told(tmp_path: Path) -> None:
    one = LearningEngine(tmp_path, clock=lambda: NOW, journal_bytes=1)
    for number in range(3):
        one.ingest_telemetry([MetricPoint(series=f"s{number}", at=NOW, value=1)])
    one.close()
    broken = sorted(tmp_path.glob("segment-*.npz"))[1]
    broken.write_bytes(broken.read_bytes()[:100])
    again = engine(tmp_path)
    assert again.damaged == (broken.name,)
    assert again.analyse().counts["series"] == 2
    assert broken.with_suffix(".npz.damaged").exists()
    again.close()


def test_many_segments_become_one(tmp_path: Path) -> None:
    one = LearningEngine(tmp_path, clock=lambda: NOW, journal_bytes=1)
    for number in range(30):
        one.ingest_telemetry([MetricPoint(series="s", at=NOW - 60 * number, value=number)], position=("f", number))
    one.close()
    assert len(list(tmp_path.glob("segment-*.npz"))) < 10
    again = engine(tmp_path)
    assert again.position("f") == 29
    assert again.analyse().trends[0].minutes == 29  # the minute that is not over does not count
    again.close()


WRITER = """
import sys, pathlib
from agents.live.learning_engine import LearningEngine
from core.telemetry import LogLine
engine = LearningEngine(pathlib.Path(sys.argv[1]), clock=lambda: {now}, journal_bytes=20_000)
number = engine.position("counter") or 0
while True:
    number += 1
    line = LogLine(at={now} - 60, level="error", component="web", error_type="E", message="boom")
    engine.ingest_telemetry([line] * 7, position=("counter", number))
    print(number, flush=True)
"""


def test_kill_9_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Killed while it writes and seals, again and again: what was told as taken is there, in whole batches."""
    told = 0
    for kill in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER.format(now=NOW), str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        for _ in range(40 + 17 * kill):
            told = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait()
        process.stdout.close()
        told = max([told, *map(int, rest)])
        one = engine(tmp_path)
        number = one.position("counter")
        assert told <= number <= told + 1
        assert sum(cluster.count for cluster in one.analyse().clusters) == 7 * number
        one.close()


class Broken:
    """A source that breaks its word."""

    name = "broken"

    def read(self, now: float) -> Reading:
        raise RuntimeError("not this time")

    def close(self) -> None:
        """Nothing is open."""


class Once:
    """A source that has one reading, and says how often it was asked."""

    name = "once"

    def __init__(self) -> None:
        self.asked = 0

    def read(self, now: float) -> Reading:
        self.asked += 1
        lines = [LogLine(at=NOW - 1, level="error", message=f"{'x' * 300} {i}", error_type="E") for i in range(500)]
        return Reading(list(lines), position=1) if self.asked == 1 else Reading(position=1)

    def close(self) -> None:
        """Nothing is open."""


def test_what_a_full_disk_does_not_take_waits(disk: Disk) -> None:
    one, source = engine(disk.path / "telemetry"), Once()
    flow = Stream(one, [source])
    one.ingest_telemetry([LogLine(at=NOW, message="x")])
    disk.fill()
    for _ in range(2):
        with pytest.raises(StorageError):
            flow.once(NOW)
        assert one.analyse().counts["errors"] == 0
    assert source.asked == 1
    disk.empty()
    assert flow.once(NOW) == 500
    assert one.analyse().counts["errors"] == 500
    assert one.position("once") == 1
    one.close()
    again = engine(disk.path / "telemetry")
    assert again.analyse().counts["errors"] == 500
    again.close()


def test_the_service_level_is_that_of_its_requests() -> None:
    one, rng = engine(), np.random.default_rng(0)
    durations = rng.lognormal(-3, 0.5, 3000)
    one.ingest_telemetry(
        Completion(
            at=NOW - 600 + number / 5, component="web", function="GET", operation="request", duration_s=float(seconds),
            ok=number % 100 != 0, id=str(number),
        )
        for number, seconds in enumerate(durations)
    )  # fmt: skip
    level = one.service_level("web", 600)
    for told, q in ((level.p50_s, 0.5), (level.p95_s, 0.95), (level.p99_s, 0.99)):
        assert told == pytest.approx(float(np.quantile(durations, q)), rel=0.1)
    assert level.error_rate == pytest.approx(0.01)
    assert level.throughput_per_s == pytest.approx(5.0)
    assert level.known
    assert not one.service_level("nobody", 600).known


def test_a_latency_that_was_nothing_before_is_an_opportunity_all_the_same() -> None:
    one = engine()
    one.ingest_telemetry([*points(3000, until=NOW - 3600, value=0.0), *points(60, value=1.0)])
    (found,) = one.analyse().opportunities
    assert (found.kind, found.performance_gain_percent) == ("trend", 100)
