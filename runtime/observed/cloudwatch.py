"""Metrics, logs and alarms of AWS CloudWatch, asked for every interval.

What the service answers is checked again here: times outside what was asked, values that are no numbers, lines that the
filter should have left out.  Throttled, it backs off; what stays unanswered is a gap, which is unknown, never healthy.
boto3 is an extra: `pip install ratchet[aws]`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core.errors import ConfigError, UnavailableError
from core.telemetry import AlarmTransition, Measure, MetricPoint, Telemetry, TelemetryGap
from runtime.observed.cloudwatch_calls import Calls, Refused
from runtime.observed.cloudwatch_logs import log_line
from runtime.observed.source import Reading

__all__ = ["CloudWatchMetric", "CloudWatchTelemetryStreamer", "LogGroup"]

PERIOD_S = 60
DELAY_S = 60.0
"""CloudWatch has a minute's values about a minute later."""
MAX_LAG_S = 3 * 3600.0
"""After a longer pause the time before is a gap: asking for all of it at once would only be throttled."""
QUERIES_AT_ONCE = 500
STATES = {"OK": "ok", "ALARM": "alarm", "INSUFFICIENT_DATA": "insufficient_data"}


@dataclass(frozen=True)
class CloudWatchMetric:
    """One metric with one statistic, such as Average, Sum or p95."""

    namespace: str
    metric: str
    stat: str = "Average"
    dimensions: tuple[tuple[str, str], ...] = ()
    component: str = ""
    unit: str = ""
    measure: Measure | None = None

    @property
    def series(self) -> str:
        return f"{self.namespace}.{self.metric}.{self.stat}"

    @property
    def query(self) -> dict[str, Any]:
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        metric = {"Namespace": self.namespace, "MetricName": self.metric, "Dimensions": dimensions}
        return {"MetricStat": {"Metric": metric, "Period": PERIOD_S, "Stat": self.stat}}


@dataclass(frozen=True)
class LogGroup:
    """A group of logs; `pattern` is CloudWatch's filter, `words` those one of which a line must hold, checked here."""

    name: str
    component: str = ""
    pattern: str = ""
    words: tuple[str, ...] = ()


@dataclass
class CloudWatchTelemetryStreamer:
    """`client` makes boto3's clients by name (cloudwatch, logs); None: boto3's own, by its usual configuration.

    `interval_s` is CLOUDWATCH_STREAM_INTERVAL_SECONDS: asked again sooner, it answers nothing.  Sampling of logs and
    repeated events are the learning engine's.
    """

    metrics: Sequence[CloudWatchMetric] = ()
    log_groups: Sequence[LogGroup] = ()
    alarm_prefix: str | None = None
    """Of the alarms to follow; empty: all; None: none."""
    interval_s: float = 60.0
    region: str | None = None
    endpoint_url: str | None = None
    client: Callable[[str], Any] | None = None
    position: dict[str, float] | None = None
    name: str = "cloudwatch"
    sleep: Callable[[float], None] = time.sleep
    tries: int = 4
    _asked_at: float | None = field(default=None, init=False)
    _until: dict[str, float] = field(default_factory=dict, init=False)
    _states: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        make = self.client or self._boto
        try:
            self._cloudwatch = Calls(make("cloudwatch"), self.sleep, self.tries) if self._wants_cloudwatch else None
            self._logs = Calls(make("logs"), self.sleep, self.tries) if self.log_groups else None
        except ImportError as error:
            raise UnavailableError(
                "boto3 is not installed", where=self.name, hint="pip install 'ratchet[aws]'"
            ) from error
        self._until = dict(self.position or {})

    @property
    def calls(self) -> int:
        """Requests made of AWS so far, each try counted: cloudwatch_api_calls."""
        return sum(one.count for one in (self._cloudwatch, self._logs) if one is not None)

    def read(self, now: float) -> Reading:
        if self._asked_at is not None and now - self._asked_at < self.interval_s:
            return Reading(position=dict(self._until))
        self._asked_at = now
        aside: dict[str, int] = {}
        records: list[Telemetry] = []
        end = (now - DELAY_S) // PERIOD_S * PERIOD_S
        records += self._part("metrics", end, aside, self._points) if self.metrics else []
        for group in self.log_groups:

            def lines(begin: float, until: float, aside: dict[str, int], group: LogGroup = group) -> list[Telemetry]:
                return self._lines(group, begin, until, aside)

            records += self._part(f"logs:{group.name}", end, aside, lines)
        if self.alarm_prefix is not None:
            records += self._alarms(now)
        return Reading(records, dict(self._until), aside)

    def close(self) -> None:
        """There is nothing that stays open."""

    def _part(
        self,
        part: str,
        end: float,
        aside: dict[str, int],
        ask: Callable[[float, float, dict[str, int]], list[Telemetry]],
    ) -> list[Telemetry]:
        """What `ask` answers for the time since it last answered; a gap when it refuses for too long."""
        begin = self._until.get(part, end - max(self.interval_s, PERIOD_S))
        if begin >= end:
            return []
        source, told = f"{self.name}/{part}", []
        if end - begin > MAX_LAG_S:
            told.append(TelemetryGap(source=source, begin=begin, end=end - MAX_LAG_S, reason="away too long"))
            begin = end - MAX_LAG_S
        try:
            found = ask(begin, end, aside)
        except Refused as error:
            # asked for again next time; it is unknown as long as it is not answered
            self._until[part] = begin
            return [*told, TelemetryGap(source=source, begin=begin, end=end, reason=error.reason)]
        self._until[part] = end
        return [*told, *found]

    def _points(self, begin: float, end: float, aside: dict[str, int]) -> list[Telemetry]:
        told: list[Telemetry] = []
        for start in range(0, len(self.metrics), QUERIES_AT_ONCE):
            part = self.metrics[start : start + QUERIES_AT_ONCE]
            told += self._some_points(part, begin, end, aside)
        return told

    def _some_points(
        self, part: Sequence[CloudWatchMetric], begin: float, end: float, aside: dict[str, int]
    ) -> list[Telemetry]:
        assert self._cloudwatch is not None
        queries = [{"Id": f"m{place}", **one.query} for place, one in enumerate(part)]
        seen: set[tuple[str, float]] = set()
        told: list[Telemetry] = []
        failed: set[str] = set()
        pages = self._cloudwatch.pages(
            "get_metric_data",
            MetricDataQueries=queries,
            StartTime=datetime.fromtimestamp(begin, UTC),
            EndTime=datetime.fromtimestamp(end, UTC),
            ScanBy="TimestampAscending",
        )
        for page in pages:
            for result in page.get("MetricDataResults", []):
                if result.get("StatusCode", "Complete") not in ("Complete", "PartialData"):
                    failed.add(result["Id"])
                metric = part[int(result["Id"][1:])]
                for stamp, value in zip(result.get("Timestamps", []), result.get("Values", []), strict=False):
                    at = stamp.timestamp()
                    if not begin <= at < end or (result["Id"], at) in seen:
                        aside["outside"] = aside.get("outside", 0) + 1
                        continue
                    seen.add((result["Id"], at))
                    told.append(_point(metric, at, float(value)))
        told += [
            TelemetryGap(source=part[int(one[1:])].series, begin=begin, end=end, reason="refused")
            for one in sorted(failed)
        ]
        return told

    def _lines(self, group: LogGroup, begin: float, end: float, aside: dict[str, int]) -> list[Telemetry]:
        assert self._logs is not None
        asked: dict[str, Any] = {
            "logGroupName": group.name,
            "startTime": int(begin * 1000),
            "endTime": int(end * 1000) - 1,  # it takes the end in
        }
        if group.pattern:
            asked["filterPattern"] = group.pattern
        seen: set[str] = set()
        told: list[Telemetry] = []
        for page in self._logs.pages("filter_log_events", page_key="nextToken", **asked):
            for event in page.get("events", []):
                at, message = event["timestamp"] / 1000, event.get("message", "")
                unwanted = group.words and not any(word in message for word in group.words)
                if not begin <= at < end or unwanted or event.get("eventId", "") in seen:
                    aside["outside"] = aside.get("outside", 0) + 1
                    continue
                if "eventId" in event:
                    seen.add(event["eventId"])
                told.append(log_line(message, at, group.component))
        return told

    def _alarms(self, now: float) -> list[Telemetry]:
        """Alarms whose state is another than when last asked; at first those that stand in alarm."""
        assert self._cloudwatch is not None
        asked = {"AlarmNamePrefix": self.alarm_prefix} if self.alarm_prefix else {}
        try:
            alarms = list(self._described(asked))
        except Refused as error:
            return [
                TelemetryGap(source=f"{self.name}/alarms", begin=now - self.interval_s, end=now, reason=error.reason)
            ]
        told: list[Telemetry] = []
        for alarm in alarms:
            name, state = alarm["AlarmName"], STATES.get(alarm.get("StateValue", ""), "insufficient_data")
            if not name.startswith(self.alarm_prefix or ""):
                continue
            before = self._states.get(name)
            self._states[name] = state
            if state == before or (before is None and state != "alarm"):
                continue
            stamp = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
            told.append(
                AlarmTransition(
                    at=stamp.timestamp() if stamp is not None else now,
                    component=_component(alarm),
                    alarm=name,
                    before=before or "insufficient_data",
                    after=state,
                    severity="critical" if "critical" in name.lower() else "high",
                    reason=str(alarm.get("StateReason", ""))[:400],
                )
            )
        return told

    def _described(self, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
        assert self._cloudwatch is not None
        for page in self._cloudwatch.pages("describe_alarms", **asked):
            yield from page.get("MetricAlarms", [])
            yield from page.get("CompositeAlarms", [])

    @property
    def _wants_cloudwatch(self) -> bool:
        return bool(self.metrics) or self.alarm_prefix is not None

    def _boto(self, service: str) -> Any:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        # tries are ours: boto's own would make one call hang for minutes
        config = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 1})
        try:
            return boto3.client(service, region_name=self.region, endpoint_url=self.endpoint_url, config=config)
        except (BotoCoreError, ValueError) as error:
            raise ConfigError(
                f"AWS cannot be asked: {error}", where=self.name, hint="set AWS_REGION and keys"
            ) from error


def _point(metric: CloudWatchMetric, at: float, value: float) -> MetricPoint:
    return MetricPoint(
        series=metric.series,
        component=metric.component,
        labels=dict(metric.dimensions),
        unit=metric.unit,
        measure=metric.measure,
        at=at,
        value=value,
    )


def _component(alarm: dict[str, Any]) -> str:
    """The value of a dimension that names a service or function; empty where there is none."""
    named = {one["Name"]: one["Value"] for one in alarm.get("Dimensions", [])}
    wanted = ("Component", "Service", "ServiceName", "FunctionName")
    return next((named[name] for name in wanted if name in named), "")
