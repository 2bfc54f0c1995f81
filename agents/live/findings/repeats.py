"""Queries in a loop (N+1), and calls made twice with the same arguments within one request."""

from __future__ import annotations

from agents.live.findings.view import View
from core.improvement import ImprovementOpportunity

__all__ = ["repeat_opportunities"]

MIN_REQUESTS = 3
MIN_REQUEST_SHARE = 0.05
"""Of a component's requests: rarer ones are chance, such as a retry."""
MIN_TIME_SHARE = 0.01


def repeat_opportunities(view: View) -> list[ImprovementOpportunity]:
    found = []
    for (kind, component, caller, subject), one in view.repeats.items():
        whole = view.time_s(component)
        share = min(1.0, one.saved_s / whole) if whole > 0 else 0.0
        known = view.requests.get(component)
        often = one.requests / known.calls if known and known.calls else 1.0
        if one.requests < MIN_REQUESTS or often < MIN_REQUEST_SHARE or share < MIN_TIME_SHARE:
            continue
        each = one.calls / one.requests
        function = caller or ("" if kind == "n_plus_one" else subject)
        where = f" from {caller}" if caller else ""
        loop = kind == "n_plus_one"
        text = (
            f"{each:.1f} times the same query{where} within a request, in {one.requests:,.0f} requests: {subject}"
            if loop
            else f"{each:.1f} times the same call of {subject}{where} with the same arguments within a request, in "
            f"{one.requests:,.0f} requests"
        )
        found.append(
            view.opportunity(
                kind=kind,
                component=component,
                file=view.file_of(component, function),
                function=function,
                subject=subject,
                severity="high" if share > 0.3 else "medium",
                risk="low" if not loop else "medium",
                confidence=0.9 if one.requests >= 10 * MIN_REQUESTS else 0.75,
                performance_gain_percent=100 * share,
                affected_users_per_hour=one.requests / view.hours,
                evidence=(text, f"{share:.0%} of the time of {component} could be saved"),
                figures={"calls_per_request": each, "requests": one.requests, "time_share": share},
                requirement=(
                    f"Ask once for what {caller or component} now asks for in a loop: {subject}"
                    if loop
                    else f"Call {subject} once within a request for equal arguments, and use its result again."
                ),
            )
        )
    return found
