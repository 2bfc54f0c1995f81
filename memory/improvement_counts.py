"""Counts over all improvement cycles of live services, and the alarms on them; read once, then only what came since."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from core.events import (
    AnyEvent,
    CampaignInterrupted,
    CampaignStarted,
    CycleStarted,
    ImprovementDeployed,
    ImprovementReported,
    ImprovementRolledBack,
    ModelCalled,
    OpportunityFound,
    TelemetryAnalysed,
)
from memory.ledger import Ledger

__all__ = ["ALARMS", "BY_PEOPLE", "ImprovementCounts"]

READ = (
    CampaignStarted, CampaignInterrupted, CycleStarted, TelemetryAnalysed, OpportunityFound, ModelCalled,
    ImprovementDeployed, ImprovementRolledBack, ImprovementReported,
)  # fmt: skip
BY_PEOPLE = ("interrupted", "terminated", "nobody reads the output")
"""Reasons for an end that is no failure."""
HOUR_S = 3600.0
MOST_FAILED, MOST_ROLLED_BACK, MOST_CYCLE_S = 3, 2, 300.0
ALARMS = ("improvement_cycles_failing", "improvements_rolled_back_often", "improvement_cycle_slow")
"""More than 3 failed cycles within an hour, more than 2 rollbacks within an hour, a cycle of more than 300 s."""


@dataclass
class ImprovementCounts:
    """The ten figures by their public names; `catch_up` brings them up to date.  Safe under threads."""

    ledger: Ledger
    improvement_cycles_started: int = 0
    improvement_cycles_completed: int = 0
    improvement_cycles_failed: int = 0
    improvements_deployed: int = 0
    improvements_rolled_back: int = 0
    cycle_duration_seconds: float = 0.0
    """The sum over the completed cycles; the last one's is `last_cycle_s`."""
    opportunities_identified: int = 0
    impact_score_total: float = 0.0
    llm_tokens_used: int = 0
    cloudwatch_api_calls: int = 0
    last_cycle_s: float = 0.0
    last_cycle_at: float = 0.0
    seq: int = 0
    _failed_at: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    _rolled_back_at: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    _live: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def catch_up(self) -> None:
        """Count what was appended since, by any process."""
        with self._lock:
            for event in self.ledger.events(after=self.seq, types=READ):
                self.seq = event.seq
                self._count(event)

    def alarms(self, now: float) -> dict[str, bool]:
        """Whether each alarm stands, by name."""
        failed = sum(now - at <= HOUR_S for at in self._failed_at)
        back = sum(now - at <= HOUR_S for at in self._rolled_back_at)
        slow = self.last_cycle_s > MOST_CYCLE_S and now - self.last_cycle_at <= HOUR_S
        return dict(zip(ALARMS, (failed > MOST_FAILED, back > MOST_ROLLED_BACK, slow), strict=True))

    def _count(self, event: AnyEvent) -> None:
        if isinstance(event, CampaignStarted):
            if event.kind == "live":
                self._live.add(event.campaign_id)
            return
        if event.campaign_id not in self._live:
            return
        match event:
            case CycleStarted():
                self.improvement_cycles_started += 1
            case CampaignInterrupted() if event.reason not in BY_PEOPLE:
                self.improvement_cycles_failed += 1
                self._failed_at.append(event.at)
            case TelemetryAnalysed():
                self.cloudwatch_api_calls += event.counts.get("cloudwatch_api_calls", 0)
            case OpportunityFound():
                self.opportunities_identified += 1
            case ModelCalled():
                self.llm_tokens_used += event.input_tokens + event.output_tokens
            case ImprovementDeployed():
                self.improvements_deployed += 1
            case ImprovementRolledBack():
                self.improvements_rolled_back += 1
                self._rolled_back_at.append(event.at)
            case ImprovementReported(report=report):
                self.improvement_cycles_completed += 1
                self.last_cycle_s = max(0.0, report.finished_at - report.started_at)
                self.last_cycle_at = report.finished_at
                self.cycle_duration_seconds += self.last_cycle_s
                self.impact_score_total += report.total_impact
            case _:
                pass
