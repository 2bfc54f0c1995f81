"""What one look at a service's telemetry came to."""

from __future__ import annotations

from pydantic import Field

from core.improvement import ImprovementOpportunity
from core.records import Record
from core.telemetry import AlarmTransition, Health, TelemetryGap
from search.error_clusters import ErrorCluster
from search.trends import Trend

__all__ = ["Analysis"]


class Analysis(Record):
    """Trends of every series, clusters of errors, opportunities in the order to take them, and what is unknown.

    `health` is that of each component: degraded when any of its trends counts or an error recurs, healthy when
    something was judged and nothing is wrong, unknown when nothing could be judged.
    """

    begin: float
    end: float
    tenant_id: str = ""
    trends: tuple[Trend, ...] = ()
    clusters: tuple[ErrorCluster, ...] = ()
    opportunities: tuple[ImprovementOpportunity, ...] = ()
    gaps: tuple[TelemetryGap, ...] = Field(default=(), description="within the window: told by sources, and found")
    alarms: tuple[AlarmTransition, ...] = Field(default=(), description="alarms that stand at the end of the window")
    unknown: tuple[str, ...] = Field(default=(), description="what could not be judged, and why")
    health: dict[str, Health] = Field(default={})
    counts: dict[str, int] = Field(default={}, description="series, requests, log lines … in the window")
    set_aside: dict[str, int] = Field(default={}, description="records not taken since the beginning, by reason")
