"""Functions that take much of the time: by growing faster than their input, by sheer share, or by calls over 5 s."""

from __future__ import annotations

from agents.live.findings.view import View
from core.improvement import ImprovementOpportunity
from search.growth import growth

__all__ = ["slow_opportunities"]

GROWING_SHARE = 0.1
HOT_SHARE = 0.6
"""Of a component's time: one function that takes so much is where to look, whatever it does."""
HOT_MEAN_S = 0.02
MIN_CALLS = 20
MIN_SLOW = 10
"""Calls over 5 s in the window, as for errors: more than this recurs."""


def slow_opportunities(view: View) -> list[ImprovementOpportunity]:
    found = []
    for (component, function, file, operation), one in view.functions.items():
        if one.slow > MIN_SLOW and operation != "request":
            found.append(_timeouts(view, component, function, file, one.slow, one.calls, one.longest_s))
        whole = view.time_s(component)
        if operation != "function" or one.calls < MIN_CALLS or whole <= 0:
            continue
        share, mean_s = min(1.0, one.own_s / whole), one.own_s / one.calls
        grown = growth([n for n, _ in one.samples], [t for _, t in one.samples])
        growing = grown is not None and grown.superlinear and share >= GROWING_SHARE
        if not growing and (share < HOT_SHARE or mean_s < HOT_MEAN_S):
            continue
        evidence = [f"{function} takes {share:.0%} of the time of {component}, {mean_s * 1000:.1f} ms a call by itself"]
        figures = {"time_share": share, "mean_s": mean_s, "calls_per_hour": one.calls / view.hours}
        gain = share * 0.5
        if growing:
            assert grown is not None
            evidence.append(
                f"its time grows as size^{grown.exponent:.2f} ({grown.low:.2f} … {grown.high:.2f}), for sizes from "
                f"{grown.smallest:g} to {grown.largest:g}"
            )
            figures |= {"exponent": grown.exponent, "exponent_low": grown.low, "largest": grown.largest}
            # linear from the smallest size seen on
            sizes = [n for n, _ in one.samples if n > 0]
            mean_size = sum(sizes) / len(sizes)
            gain = share * (1 - (mean_size / grown.smallest) ** (1 - grown.exponent))
        found.append(
            view.opportunity(
                kind="slow_function",
                component=component,
                file=file,
                function=function,
                severity="high" if share > 0.3 else "medium",
                risk="medium",
                confidence=0.85 if growing else 0.6,
                performance_gain_percent=100 * gain,
                affected_users_per_hour=view.requests_per_hour(component) or one.calls / view.hours,
                evidence=tuple(evidence),
                figures=figures,
                requirement=f"Make {function} faster with the same results"
                + (": its time must not grow faster than its input." if growing else "."),
            )
        )
    return found


def _timeouts(
    view: View, component: str, function: str, file: str, slow: float, calls: float, longest_s: float
) -> ImprovementOpportunity:
    return view.opportunity(
        kind="timeout",
        component=component,
        file=file,
        function=function,
        severity="high",
        risk="medium",
        confidence=0.8,
        performance_gain_percent=100 * slow / calls,
        affected_users_per_hour=slow / view.hours,
        evidence=(f"{slow:,.0f} of {calls:,.0f} calls of {function} took over 5 s, the longest {longest_s:.1f} s",),
        figures={"slow": slow, "calls": calls, "longest_s": longest_s},
        requirement=f"Calls of {function} must end within 5 s: with a time limit, and an answer when it passes.",
    )
