"""What an opportunity is made of: each module looks for one kind of weakness in what was kept."""

from __future__ import annotations

from collections.abc import Callable

from agents.live.findings.caches import cache_opportunities
from agents.live.findings.errors import error_opportunities
from agents.live.findings.repeats import repeat_opportunities
from agents.live.findings.slow import slow_opportunities
from agents.live.findings.trends import trend_opportunities
from agents.live.findings.view import View
from core.improvement import ImprovementOpportunity

__all__ = ["FINDERS", "View"]

FINDERS: tuple[Callable[[View], list[ImprovementOpportunity]], ...] = (
    cache_opportunities,
    repeat_opportunities,
    slow_opportunities,
    error_opportunities,
    trend_opportunities,
)
