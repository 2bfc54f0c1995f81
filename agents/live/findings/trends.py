"""Series that are worse than they were, by more than noise and more than the flags allow."""

from __future__ import annotations

import math

from agents.live.findings.view import View
from core.improvement import ImprovementOpportunity, Level
from search.trends import Trend

__all__ = ["trend_opportunities"]

STEPS: dict[str, tuple[float, float]] = {
    "latency": (0.5, 2.0),
    "error_rate": (2.0, 10.0),
    "throughput": (0.5, 0.8),
    "utilisation": (0.90, 0.97),
}
"""From where on it is high, and critical: of the relative change, of a utilisation itself."""
RECENT_S = 3 * 3600.0


def trend_opportunities(view: View) -> list[ImprovementOpportunity]:
    return [_opportunity(view, one) for one in view.trends if one.counts]


def _opportunity(view: View, one: Trend) -> ImprovementOpportunity:
    high, critical = STEPS[one.measure]
    size = one.current if one.measure == "utilisation" else abs(one.change)
    severity: Level = "critical" if size > critical else "high" if size > high else "medium"
    gain = _gain(one)
    evidence = [_sentence(one)]
    deployed = [
        event
        for event in view.kept.tallies.deployments
        if event.component in ("", one.component) and 0 <= view.end - event.at < RECENT_S
    ]
    if deployed:
        last = deployed[-1]
        evidence.append(f"{last.revision or 'a version'} was deployed {(view.end - last.at) / 60:.0f} minutes before")
    return view.opportunity(
        kind="trend",
        component=one.component,
        subject=one.series,
        severity=severity,
        risk="medium",
        confidence=0.9 if one.plain == one.robust == "degraded" else 0.75,
        performance_gain_percent=gain,
        affected_users_per_hour=view.requests_per_hour(one.component),
        evidence=tuple(evidence),
        figures={
            "current": one.current,
            "baseline": one.mean,
            "sd": one.sd,
            "expected": one.expected,
            "change": one.change,
        },
        requirement=f"Bring {one.series} of {one.component or 'the service'} back to what it was.",
    )


def _gain(one: Trend) -> float:
    """What would be won by going back, in percent of now."""
    if one.measure == "utilisation":
        return 100 * max(0.0, one.current - 0.8)
    if one.measure == "error_rate":
        return 100 * max(0.0, one.current - one.mean)
    if not math.isfinite(one.change):  # the baseline was nothing at all
        return 100.0
    return 100 * min(1.0, abs(one.change) / (1 + max(one.change, 0.0)))


def _sentence(one: Trend) -> str:
    if one.measure == "utilisation":
        return f"{one.series} is {one.current:.0%}, above 80 %"
    usual = f"the week's {one.mean:.4g} ± {one.sd:.4g}"
    if one.skewed or one.seasonal:
        usual = f"{one.expected:.4g} expected at this hour ({usual})"
    return f"{one.series} is {one.current:.4g} in the last hour, against {usual}: {one.change:+.0%}"
