"""The records of the improvement of a running service: opportunities, what became of them, and the settings.

Numbers of the settings and names of their variables are public; presets and tenants change some of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from core.errors import ConfigError, nearest
from core.ids import content_id
from core.records import Record
from core.validation import config_error

__all__ = [
    "PRESETS",
    "VARIABLES",
    "ImpactAssessment",
    "ImprovementOpportunity",
    "ImprovementReport",
    "ImprovementSettings",
    "Level",
    "OpportunityKind",
    "Priority",
    "ServiceLevel",
    "TenantSettings",
]

Level = Literal["critical", "high", "medium", "low"]
Priority = Literal["critical", "high", "medium", "low"]
"""When it is worked on: now, in the next cycle, when there is room, or it waits."""

OpportunityKind = Literal[
    "cache", "n_plus_one", "redundant_call", "slow_function", "error_pattern", "timeout", "connection", "api", "trend"
]


class ImprovementOpportunity(Record):
    """A weakness found in telemetry, and what mending it is worth.

    The id is derived from tenant, kind, component, file, function and subject: found again in a later window, it is
    the same opportunity.  `impact` and `priority` follow from the other fields (search.impact).
    """

    id: str
    kind: OpportunityKind
    component: str
    file: str = Field(default="", description="where the code stands, relative to the service; empty: not known")
    function: str = ""
    subject: str = Field(default="", description="what it is about: a series, statement or message template")
    severity: Level
    risk: Literal["high", "medium", "low"] = "medium"
    confidence: float = Field(ge=0, le=1)
    performance_gain_percent: float = Field(ge=0, allow_inf_nan=False)
    affected_users_per_hour: float = Field(ge=0, allow_inf_nan=False, description="requests where users are not told")
    frequency_per_day: float = Field(ge=0, allow_inf_nan=False)
    evidence: tuple[str, ...] = Field(default=(), description="sentences with numbers, for a person and a prompt")
    figures: dict[str, float] = Field(default={}, description="the same numbers, by name")
    requirement: str = Field(description="what a change has to do")
    system_wide: bool = Field(default=False, description="it touches more than one component, and needs approval")
    tenant_id: str = ""
    found_at: float = Field(default=0.0, description="end of the window it was found in")
    impact: float = Field(default=0.0, ge=0)
    priority: Priority = "low"

    @classmethod
    def make(cls, *, kind: OpportunityKind, component: str, **rest: Any) -> ImprovementOpportunity:
        """An opportunity with its content-derived id."""
        made = cls(id="", kind=kind, component=component, **rest)
        parts = (made.tenant_id, kind, component, made.file, made.function, made.subject)
        return made.model_copy(update={"id": content_id("o", *parts)})


class ServiceLevel(Record):
    """How well a component served over `seconds`: what is measured before a deployment, and watched after it.

    Percentiles of latency are in seconds; None where nothing usable was told, which is no good news.
    """

    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    error_rate: float | None = Field(default=None, ge=0, le=1)
    throughput_per_s: float | None = Field(default=None, ge=0)
    requests: int = Field(default=0, ge=0)
    seconds: float = Field(default=0.0, ge=0)
    at: float = Field(default=0.0, description="end of the time measured")

    @property
    def known(self) -> bool:
        """Whether it says enough to be compared with another."""
        return None not in (self.p95_s, self.error_rate, self.throughput_per_s)


class ImpactAssessment(Record):
    """What one improvement came to.  Reductions above 0 are gains; changes are final minus baseline."""

    opportunity_id: str
    proposal_id: str = ""
    deployment_id: str = ""
    status: Literal["completed", "rolled_back", "failed", "refused", "needs_model"]
    reason: str = ""
    baseline: ServiceLevel | None = None
    final: ServiceLevel | None = None
    foreseen_gain_percent: float | None = Field(default=None, description="as the opportunity was found")
    latency_reduction_ms: float | None = Field(default=None, description="of the 95th percentile")
    latency_reduction_percent: float | None = None
    latency_reduction_low_percent: float | None = Field(default=None, description="of its interval, by the watch")
    latency_reduction_high_percent: float | None = None
    error_rate_change: float | None = None
    throughput_change: float | None = Field(default=None, description="per second")
    seconds: float = Field(default=0.0, ge=0, description="from the opportunity to the end of the watch")
    rollback_seconds: float | None = Field(default=None, description="from the decision to the old version live again")
    tokens: int = Field(default=0, ge=0)
    cost_usd: float = Field(default=0.0, ge=0)
    api_calls: int = Field(default=0, ge=0)


class ImprovementReport(Record):
    """One cycle: when, on what telemetry, what was found, and what became of each."""

    id: str
    campaign_id: str = ""
    cycle: int = 0
    tenant_id: str = ""
    trigger: Literal["schedule", "hand", "alarm"] = "hand"
    started_at: float
    finished_at: float
    window_hours: float
    telemetry: dict[str, int] = Field(default={}, description="how much of each kind was analysed, and set aside")
    unknown: tuple[str, ...] = Field(default=(), description="what could not be judged, and why")
    opportunities: tuple[ImprovementOpportunity, ...] = ()
    assessments: tuple[ImpactAssessment, ...] = ()
    learned: tuple[str, ...] = ()

    @property
    def attempted(self) -> int:
        return len(self.assessments)

    @property
    def deployed(self) -> int:
        """Put live, whether it stayed or not."""
        return sum(one.status in ("completed", "rolled_back") for one in self.assessments)

    @property
    def rolled_back(self) -> int:
        return sum(one.status == "rolled_back" for one in self.assessments)

    @property
    def total_impact(self) -> float:
        """The impact scores of what stayed live, added."""
        scores = {one.id: one.impact for one in self.opportunities}
        return sum(scores.get(one.opportunity_id, 0.0) for one in self.assessments if one.status == "completed")


class TenantSettings(Record):
    """What one tenant has otherwise; None: as everyone."""

    enabled: bool | None = None
    max_concurrent: int | None = Field(default=None, ge=1)
    risk_tolerance: float | None = Field(default=None, ge=0, le=1)
    monitoring_duration_s: float | None = Field(default=None, gt=0)


class ImprovementSettings(Record):
    """When the cycle runs, how much it dares, how long it watches, how it listens."""

    enabled: bool = Field(default=True, description="the feature flag of the whole cycle")
    deployment_enabled: bool = Field(default=True, description="false: opportunities and proposals, nothing goes live")
    interval_hours: float = Field(default=24.0, gt=0)
    start_time: str = Field(default="02:00", description="UTC, HH:MM")
    max_concurrent: int = Field(default=3, ge=1)
    quality_threshold: float = Field(default=0.85, ge=0, le=1)
    risk_tolerance: float = Field(default=0.1, ge=0, le=1)
    monitoring_duration_s: float = Field(default=3600.0, gt=0)
    monitoring_interval_s: float = Field(default=60.0, gt=0)
    rollback_threshold: float = Field(default=0.10, gt=0)
    stream_interval_s: float = Field(default=60.0, gt=0)
    log_sampling_rate: float = Field(default=1.0, ge=0, le=1)
    event_dedup_window_s: float = Field(default=300.0, ge=0)
    tenants: dict[str, TenantSettings] = Field(default={})

    @field_validator("start_time")
    @classmethod
    def _time_of_day(cls, value: str) -> str:
        if not re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError("a time of day is written HH:MM, from 00:00 to 23:59")
        return value

    @classmethod
    def load(
        cls,
        preset: str = "basic",
        *,
        values: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> ImprovementSettings:
        """A preset, changed by variables of the environment, changed by `values`.  Raises ConfigError."""
        if preset not in PRESETS:
            raise ConfigError(f"unknown preset {preset!r}", where="improvement", hint=nearest(preset, PRESETS))
        told = {VARIABLES[name]: value for name in VARIABLES if (value := environment.get(name, "").strip())}
        for where, layer in (("environment", told), ("improvement", {**told, **(values or {})})):
            try:
                made = cls.model_validate({**PRESETS[preset], **layer})
            except ValidationError as error:
                raise config_error(error, cls, where) from error
        return made

    def for_tenant(self, tenant_id: str) -> ImprovementSettings:
        """These, with what the tenant has otherwise.  A tenant cannot switch on what is off for all."""
        own = self.tenants.get(tenant_id)
        if own is None:
            return self
        changed = {name: value for name, value in own if value is not None and name in type(self).model_fields}
        changed.pop("version", None)
        if own.enabled is not None:
            changed["enabled"] = self.enabled and own.enabled
        return self.model_copy(update=changed)


PRESETS: dict[str, dict[str, Any]] = {
    "basic": {},
    "conservative": {
        "interval_hours": 168.0,
        "max_concurrent": 1,
        "quality_threshold": 0.95,
        "risk_tolerance": 0.05,
        "monitoring_duration_s": 7200.0,
        "rollback_threshold": 0.05,
    },
    "aggressive": {
        "interval_hours": 6.0,
        "max_concurrent": 5,
        "quality_threshold": 0.75,
        "risk_tolerance": 0.2,
        "monitoring_duration_s": 1800.0,
        "rollback_threshold": 0.15,
    },
}

VARIABLES = {
    "IMPROVEMENT_CYCLE_ENABLED": "enabled",
    "IMPROVEMENT_DEPLOYMENT_ENABLED": "deployment_enabled",
    "IMPROVEMENT_CYCLE_INTERVAL_HOURS": "interval_hours",
    "IMPROVEMENT_CYCLE_START_TIME": "start_time",
    "MAX_CONCURRENT_IMPROVEMENTS": "max_concurrent",
    "IMPROVEMENT_QUALITY_THRESHOLD": "quality_threshold",
    "IMPROVEMENT_RISK_TOLERANCE": "risk_tolerance",
    "MONITORING_DURATION_SECONDS": "monitoring_duration_s",
    "ROLLBACK_DEGRADATION_THRESHOLD": "rollback_threshold",
    "CLOUDWATCH_STREAM_INTERVAL_SECONDS": "stream_interval_s",
    "CLOUDWATCH_LOG_SAMPLING_RATE": "log_sampling_rate",
    "CLOUDWATCH_EVENT_DEDUP_WINDOW_SECONDS": "event_dedup_window_s",
}
"""Variable of the environment → setting."""
