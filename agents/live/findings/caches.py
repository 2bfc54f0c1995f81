"""Caches that miss too often, and work that is done again for arguments seen before and could be cached."""

from __future__ import annotations

import re

from agents.live.findings.view import View
from core.improvement import ImprovementOpportunity, Level
from memory.windows.store import SeriesFacts

__all__ = ["cache_opportunities"]

HIT_RATE = 0.5
REQUESTS_PER_HOUR = 100.0
ATTAINABLE = 0.9
"""A hit rate that a cache with a sound key and lifetime is taken to reach."""
MIN_CALL_S = 0.001
MIN_TIME_SHARE = 0.05
HITS = re.compile(r"(?i)cache.*hits?(?:_total|_rate|_count)?$|hits?.*cache")
MISSES = re.compile(r"(?i)cache.*miss(?:es)?(?:_total|_rate|_count)?$|miss(?:es)?.*cache")


def cache_opportunities(view: View) -> list[ImprovementOpportunity]:
    return [*_measured(view), *_uncached(view)]


def _measured(view: View) -> list[ImprovementOpportunity]:
    """Caches whose hits are told of: by a hit rate, or by hits and misses.  Below 50 % at over 100 requests an hour."""
    found = []
    for component, name, rate, per_hour in _rates(view):
        if per_hour == 0:
            view.unknown.append(f"{component}/{name}: the hit rate is {rate:.0%}, but nobody tells how many requests")
            continue
        if rate >= HIT_RATE or per_hour <= REQUESTS_PER_HOUR:
            continue
        gain = (ATTAINABLE - rate) * 100 * 0.5  # half of a request's time is taken to be the missed work: not measured
        found.append(
            view.opportunity(
                kind="cache",
                component=component,
                subject=name,
                severity="high" if rate < HIT_RATE / 2 else "medium",
                risk="low",
                confidence=0.75,
                performance_gain_percent=gain,
                affected_users_per_hour=per_hour * (1 - rate),
                evidence=(f"{name}: {rate:.1%} of {per_hour:,.0f} requests an hour are hits",),
                figures={"hit_rate": rate, "requests_per_hour": per_hour},
                requirement=f"Raise the hit rate of the cache {name} of {component} above {HIT_RATE:.0%}: look at its "
                "key, its lifetime and its size.",
            )
        )
    return found


def _rates(view: View) -> list[tuple[str, str, float, float]]:
    """component, name of the cache, hit rate, requests an hour."""
    windows, begin, end = view.kept.windows, int(view.begin // 60), int(view.end // 60) + 1

    def told(facts: SeriesFacts) -> tuple[float, float, float]:
        """The sum and number of values, and hours."""
        minutes = windows.ring(facts.key).minutes(begin, end)
        return float(minutes.total.sum()), float(minutes.count.sum()), view.hours_told(minutes.count)

    rates = []
    for facts in windows.facts.values():
        if facts.measure == "cache_hit_rate":
            total, count, _ = told(facts)
            if count:
                rates.append((facts.component, facts.series, total / count, view.requests_per_hour(facts.component)))
        elif HITS.search(facts.series):
            other = next(
                (
                    one
                    for one in windows.facts.values()
                    if one.component == facts.component
                    and MISSES.search(one.series)
                    and _stem(one.series) == _stem(facts.series)
                    and one.key.partition("{")[2] == facts.key.partition("{")[2]
                ),
                None,
            )
            if other is None:
                continue
            (hits, n, hours), (misses, m, _) = told(facts), told(other)
            if not n or not m:
                continue
            if "/s" in facts.unit:
                hits, misses, hours = hits / n * 3600, misses / m * 3600, 1.0
            if hits + misses > 0:
                rates.append((facts.component, _stem(facts.series), hits / (hits + misses), (hits + misses) / hours))
    return rates


def _stem(series: str) -> str:
    return re.sub(r"(?i)[._-]*(hits?|miss(es)?)(?=[._-]|$)", "", re.sub(r"(?i)[._-](total|rate|count)$", "", series))


def _uncached(view: View) -> list[ImprovementOpportunity]:
    """Functions that are called again and again, over many requests, with arguments they had before.

    What repeats within one request is another opportunity, and not counted here.
    """
    found = []
    within: dict[tuple[str, str], float] = {}
    for (kind, component, _, subject), repeat in view.repeats.items():
        if kind == "redundant_call":
            within[component, subject] = within.get((component, subject), 0.0) + repeat.calls - repeat.requests
    for (component, function, file, operation), one in view.functions.items():
        if operation not in ("function", "call") or not one.with_arguments:
            continue
        calls = one.with_arguments - within.get((component, function), 0.0)
        if calls <= 0:
            continue
        per_hour = calls / view.hours
        again = 1 - min(one.distinct, calls) / calls
        mean_s, share = one.argument_s / one.with_arguments, _share(view, component, one.argument_s)
        if per_hour <= REQUESTS_PER_HOUR or again <= HIT_RATE or mean_s < MIN_CALL_S or share < MIN_TIME_SHARE:
            continue
        severity: Level = "high" if share > 0.3 else "medium"
        found.append(
            view.opportunity(
                kind="cache",
                component=component,
                file=file,
                function=function,
                severity=severity,
                risk="medium",
                confidence=0.8,
                performance_gain_percent=100 * share * again,
                affected_users_per_hour=view.requests_per_hour(component) or per_hour,
                evidence=(
                    f"{function} is called {per_hour:,.0f} times an hour, {again:.0%} with arguments it had before",
                    f"a call takes {mean_s * 1000:.1f} ms; that is {share:.0%} of the time of {component}",
                ),
                figures={"repeated": again, "calls_per_hour": per_hour, "mean_s": mean_s, "time_share": share},
                requirement=f"Cache the results of {function} by its arguments, with a bound on size; results must "
                "stay right when what they depend on changes.",
            )
        )
    return found


def _share(view: View, component: str, seconds: float) -> float:
    whole = view.time_s(component)
    return min(1.0, seconds / whole) if whole > 0 else 0.0
