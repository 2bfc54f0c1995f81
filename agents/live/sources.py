"""The sources that a campaign names, opened; and one that the watch of a deployment sees too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from agents.live.learning_engine import LearningEngine
from core.errors import ConfigError
from core.improvement import ImprovementSettings
from core.live_plan import TelemetryFrom
from core.telemetry import Telemetry
from runtime.observed import Reading, Source
from runtime.observed.json_lines import JsonLines

__all__ = ["SeenSource", "json_lines_path", "open_source"]


class SeenSource:
    """A source whose records are also handed to `see`."""

    def __init__(self, source: Source, see: Callable[[Iterable[Telemetry], float], None]) -> None:
        self._source, self._see = source, see

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def calls(self) -> int:
        """Requests made of AWS so far."""
        return int(getattr(self._source, "calls", 0))

    def read(self, now: float) -> Reading:
        reading = self._source.read(now)
        self._see(reading.records, now)
        return reading

    def close(self) -> None:
        self._source.close()


def open_source(
    told: TelemetryFrom, words: Mapping[str, str], component: str, engine: LearningEngine, settings: ImprovementSettings
) -> Source:
    """The source, from where the engine has read it to.  Raises ConfigError for one that is not written as it must be,
    UnavailableError where what it needs is not installed."""
    if told.jsonl:
        path = json_lines_path(told, words)
        return JsonLines(path, position=engine.position(f"file:{path}"))
    if told.prometheus:
        from runtime.observed.prometheus import PrometheusScrape

        return PrometheusScrape(filled(told.prometheus, words), component=component)
    if told.otlp:
        from runtime.observed.otlp import OtlpReceiver

        port = filled(told.otlp, words).rpartition(":")[2]
        if not port.isdigit():
            raise ConfigError(f"{told.otlp!r} names no port", where="live.telemetry", hint="such as 127.0.0.1:4318")
        return OtlpReceiver(int(port))
    return _cloudwatch(told, engine, settings)


def _cloudwatch(told: TelemetryFrom, engine: LearningEngine, settings: ImprovementSettings) -> Source:
    from runtime.observed.cloudwatch import CloudWatchMetric, CloudWatchTelemetryStreamer, LogGroup

    given = dict(told.cloudwatch)
    try:
        metrics = [CloudWatchMetric(**one) for one in given.pop("metrics", ())]
        groups = [LogGroup(**one) for one in given.pop("log_groups", ())]
        return CloudWatchTelemetryStreamer(
            metrics=metrics,
            log_groups=groups,
            interval_s=settings.stream_interval_s,
            position=engine.position("cloudwatch"),
            **given,
        )
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"cloudwatch: {error}", where="live.telemetry", hint="see docs/improvement-telemetry.md"
        ) from error


def json_lines_path(told: TelemetryFrom, words: Mapping[str, str]) -> Path:
    """The file of a source of JSON lines, relative to the campaign's folder."""
    return Path(words["here"]) / filled(told.jsonl, words)


def filled(text: str, words: Mapping[str, str]) -> str:
    """`text` with what stands for {port}, {telemetry} and so on."""
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", value)
    return text
