"""The report of a cycle, the figures over all cycles, and their alarms."""

import json
from pathlib import Path

from core.events import (
    AnyEvent,
    CampaignInterrupted,
    CampaignStarted,
    CycleStarted,
    ImprovementDeployed,
    ImprovementReported,
    ImprovementRolledBack,
    OpportunityFound,
    TelemetryAnalysed,
)
from core.improvement import ImpactAssessment, ImprovementOpportunity, ImprovementReport, ServiceLevel
from memory.history import History
from memory.improvement_counts import ImprovementCounts
from memory.ledger import Ledger
from memory.state_folder import StateFolder
from service.exports.prometheus import prometheus_text
from service.improvement_report import write_cycle_report
from service.live_lines import assessment_line

FOUND = ImprovementOpportunity.make(
    kind="cache",
    component="shop",
    file="shop/quotes.py",
    function="packing_cost",
    severity="high",
    confidence=0.9,
    performance_gain_percent=30,
    affected_users_per_hour=1000,
    frequency_per_day=24,
    evidence=("called <again> and again",),
    requirement="Cache it.",
    impact=7200,
    priority="critical",
)
KEPT = ImpactAssessment(
    opportunity_id=FOUND.id,
    proposal_id="p-1",
    status="completed",
    baseline=ServiceLevel(p95_s=0.045),
    final=ServiceLevel(p95_s=0.018),
    latency_reduction_percent=60,
    latency_reduction_low_percent=42,
    latency_reduction_high_percent=71,
)


def report(cycle: int = 1, seconds: float = 40) -> ImprovementReport:
    return ImprovementReport(
        id=f"r-{cycle}",
        campaign_id="shop-1",
        cycle=cycle,
        started_at=1000.0,
        finished_at=1000.0 + seconds,
        window_hours=1,
        telemetry={"requests": 420},
        opportunities=(FOUND,),
        assessments=(KEPT,),
        learned=("caches pay",),
    )


def story(cycle: int = 1) -> list[AnyEvent]:
    at = {"campaign_id": "shop-1", "cycle": cycle}
    deployed = {"proposal_id": "p-1", "deployment_id": f"d-{cycle}", "revision": "abc"}
    return [
        CampaignStarted(campaign_id="shop-1", name="shop", kind="live", seed=0),
        CycleStarted(**at),
        TelemetryAnalysed(begin=0, end=10, counts={"requests": 420, "cloudwatch_api_calls": 3}, **at),
        OpportunityFound(opportunity=FOUND, place=1, **at),
        ImprovementDeployed(paths=("shop/quotes.py",), **deployed, **at),
        ImprovementRolledBack(reason="slower", **deployed, **at),
    ]


def test_html_and_json_say_the_same_and_text_is_escaped(tmp_path: Path) -> None:
    path = write_cycle_report(StateFolder(tmp_path), report(), History("shop-1"))
    html = path.read_text()
    assert "p95 45.0 → 18.0 ms, -60 % (-71 to -42)" in html
    assert "called &lt;again&gt; and again" in html
    assert "<again>" not in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    told = json.loads(path.with_suffix(".json").read_text())
    assert ImprovementReport.model_validate(told) == report()


def test_a_line_for_a_person() -> None:
    assert assessment_line(KEPT) == "p-1 completed: p95 45.0 → 18.0 ms, latency -60 % [-71, -42]"
    assert assessment_line(ImpactAssessment(opportunity_id="o", status="failed", reason="no")) == " failed: no"


def test_the_ten_figures_and_their_alarms(tmp_path: Path) -> None:
    now = [10_000.0]
    with Ledger(tmp_path / "ledger.db", clock=lambda: now[0]) as ledger:
        counts = ImprovementCounts(ledger)
        ledger.append(*story(), ImprovementReported(campaign_id="shop-1", cycle=1, report=report()))
        ledger.append(CampaignStarted(campaign_id="other-1", name="other", kind="code", seed=0))
        ledger.append(CycleStarted(campaign_id="other-1", cycle=1))
        counts.catch_up()
        counts.catch_up()
        assert (counts.improvement_cycles_started, counts.improvement_cycles_completed) == (1, 1)
        assert (counts.improvements_deployed, counts.improvements_rolled_back) == (1, 1)
        assert (counts.opportunities_identified, counts.impact_score_total) == (1, 7200)
        assert (counts.cycle_duration_seconds, counts.cloudwatch_api_calls) == (40, 3)
        assert not any(counts.alarms(now[0]).values())
        text = prometheus_text(ledger)
        assert "improvement_cycles_completed_total 1" in text
        assert 'improvement_alarm{alarm="improvement_cycle_slow"} 0' in text

        for cycle in (2, 3):
            ledger.append(*story(cycle)[1:])
        slow = report(4, seconds=301).model_copy(update={"finished_at": now[0]})
        slow = slow.model_copy(update={"started_at": now[0] - 301})
        ledger.append(ImprovementReported(campaign_id="shop-1", cycle=4, report=slow))
        for session in range(1, 5):
            ledger.append(CampaignInterrupted(campaign_id="shop-1", session=session, reason="the service is not well"))
        ledger.append(CampaignInterrupted(campaign_id="shop-1", session=9, reason="interrupted"))
        counts.catch_up()
        assert counts.improvement_cycles_failed == 4
        assert all(counts.alarms(now[0] + 10).values())
        assert not any(counts.alarms(now[0] + 3700).values())
