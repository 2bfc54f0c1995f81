"""Settings of the improvement cycle, and the records' names for what was told."""

from __future__ import annotations

import pytest

from core.errors import ConfigError
from core.improvement import PRESETS, VARIABLES, ImprovementSettings
from core.telemetry import MetricPoint, base_unit, measure_of, parse_telemetry


def test_the_presets() -> None:
    told = {
        name: (s.interval_hours, s.max_concurrent, s.quality_threshold, s.risk_tolerance, s.monitoring_duration_s,
               s.rollback_threshold)
        for name in PRESETS
        for s in [ImprovementSettings.load(name, environment={})]
    }  # fmt: skip
    assert told == {
        "basic": (24, 3, 0.85, 0.1, 3600, 0.10),
        "conservative": (168, 1, 0.95, 0.05, 7200, 0.05),
        "aggressive": (6, 5, 0.75, 0.2, 1800, 0.15),
    }


def test_values_go_before_variables_and_these_before_the_preset() -> None:
    environment = {"MAX_CONCURRENT_IMPROVEMENTS": "2", "CLOUDWATCH_LOG_SAMPLING_RATE": "0.5"}
    made = ImprovementSettings.load("aggressive", values={"log_sampling_rate": 0.25}, environment=environment)
    assert (made.max_concurrent, made.log_sampling_rate, made.interval_hours) == (2, 0.25, 6)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        ImprovementSettings.load(environment={name: "many"})


def test_a_tenant_has_its_own_and_cannot_switch_on_what_is_off() -> None:
    tenants = {"a": {"max_concurrent": 1, "monitoring_duration_s": 60}, "b": {"enabled": False}, "c": {"enabled": True}}
    made = ImprovementSettings.load(values={"tenants": tenants}, environment={})
    assert (made.for_tenant("a").max_concurrent, made.for_tenant("a").monitoring_duration_s) == (1, 60)
    assert made.for_tenant("a").risk_tolerance == made.risk_tolerance
    assert [made.for_tenant(name).enabled for name in ("a", "b", "c", "other")] == [True, False, True, True]
    off = ImprovementSettings.load(values={"tenants": tenants, "enabled": False}, environment={})
    assert not off.for_tenant("c").enabled


@pytest.mark.parametrize(
    ("series", "unit", "measure"),
    [
        ("request_latency", "ms", "latency"),
        ("http_request_duration_seconds.p95", "s", "latency"),
        ("error_rate", "%", "error_rate"),
        ("cpu_utilisation", "percent", "utilisation"),
        ("memory_usage", "bytes", "other"),
        ("throughput", "1/s", "throughput"),
        ("cache_hit_rate", "1", "cache_hit_rate"),
        ("queue_depth", "", "other"),
    ],
)
def test_what_a_series_measures_is_told_by_its_name(series: str, unit: str, measure: str) -> None:
    assert measure_of(series, unit) == measure


def test_records_are_told_by_their_kind() -> None:
    point = MetricPoint(series="s", labels={"b": "2", "a": "1"}, at=1, value=2)
    assert parse_telemetry(point.model_dump_json()) == point
    assert point.key == "/s{a=1,b=2}"
    assert base_unit("Milliseconds") == ("s", 1e-3)
    with pytest.raises(ValueError, match="kind"):
        parse_telemetry("{}")
