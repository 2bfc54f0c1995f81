"""Errors that recur: more than 10 in the last hour."""

from __future__ import annotations

import re

from agents.live.findings.view import View
from core.improvement import ImprovementOpportunity, Level
from search.error_clusters import ErrorCluster

__all__ = ["error_opportunities"]

FRAME = re.compile(r'File "([^"]+)", line \d+, in (\S+)')
CRITICAL_SHARE = 0.2
HIGH_SHARE = 0.05
REQUIREMENTS = {
    "timeout": "Bound the wait, try again with back-off where that is safe, and answer without it when it stays away",
    "connection": "Survive a lost connection: a pool with checks, back-off, and an answer that says what is missing",
    "api": "Handle what the other side answers: its limits, its failures, and the shapes it may send",
    "error_pattern": "Mend the cause of this error, and test for it",
}


def error_opportunities(view: View) -> list[ImprovementOpportunity]:
    return [_opportunity(view, one) for one in view.clusters if one.recurring]


def _opportunity(view: View, one: ErrorCluster) -> ImprovementOpportunity:
    requests = view.requests_per_hour(one.component)
    share = min(1.0, one.hour_count / requests) if requests else 0.0
    severity: Level = "medium"
    if share > CRITICAL_SHARE:
        severity = "critical"
    elif share > HIGH_SHARE or one.hour_count > 100:
        severity = "high"
    file, function = _place(one.stack)
    kind = one.error_type or "an error"
    evidence = [
        f"{one.hour_count:,.0f} times in the last hour: {kind} in {one.component or 'the service'}: {one.template}"
    ]
    if one.stack:
        evidence.append(f"raised in {function} ({file})" if function else one.stack.strip().splitlines()[-1][:200])
    return view.opportunity(
        kind=one.nature,
        component=one.component,
        file=file,
        function=function,
        subject=f"{one.error_type}: {one.template}" if one.error_type else one.template,
        severity=severity,
        risk="medium",
        confidence=0.9 if one.error_type and file else 0.7,
        performance_gain_percent=100 * share if requests else 1.0,
        affected_users_per_hour=one.hour_count,
        evidence=tuple(evidence),
        figures={"in_last_hour": one.hour_count, "in_window": one.count, "request_share": share},
        requirement=f"{REQUIREMENTS[one.nature]}: {kind}: {one.template}",
    )


def _place(stack: str) -> tuple[str, str]:
    """The innermost frame of a Python traceback that is not of a library."""
    frames = FRAME.findall(stack)
    own = [frame for frame in frames if "site-packages" not in frame[0] and "/lib/python" not in frame[0]]
    return own[-1] if own else ("", "")
