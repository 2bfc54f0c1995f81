"""Triage: what the telemetry of a live service shows, in the order in which it is worked on."""

from __future__ import annotations

from agents.registry import director
from agents.roles import Case, Director, Kit
from core.events import OpportunityFound, TelemetryAnalysed
from core.records import Direction
from search.impact import in_order
from search.improvement_record import learned, records_of

__all__ = ["triage"]


@director("triage")
def triage() -> Director:
    """Analyses the window of the campaign, tells of every opportunity, and gives out as many improvements as one cycle
    may put live.

    Only telemetry of the service as it runs now is looked at, and so much is waited for as the campaign says.  The
    focus are the opportunities, the most urgent first: their gain and confidence are as what was measured of their kind
    leaves them.  Silence is told as unknown, and gives no opportunity.
    """

    async def direct(case: Case, kit: Kit) -> Direction:
        assert kit.live is not None
        live = kit.live
        await live.listen(live.plan.listen_s)
        found = await live.view.analyse(live.window_hours(kit.clock()))
        about = {"campaign_id": case.campaign_id, "cycle": case.cycle}
        kit.emit(
            TelemetryAnalysed(
                trigger=live.trigger,
                begin=found.begin,
                end=found.end,
                counts={**found.counts, **{f"aside: {why}": n for why, n in found.set_aside.items()}},
                unknown=found.unknown,
                **about,
            )
        )
        records = records_of((proposal.operator, told) for proposal, told in case.improvements)
        opportunities = in_order(learned(one, records) for one in found.opportunities)
        for place, opportunity in enumerate(opportunities, 1):
            kit.emit(OpportunityFound(opportunity=opportunity, place=place, **about))
        jobs = live.plan.max_improvements if live.settings.deployment_enabled else 0
        what = f"{len(opportunities)} opportunities in {found.counts.get('requests', 0):,} requests"
        if found.unknown:
            what += f"; {len(found.unknown)} things could not be judged"
        return Direction(
            cycle=case.cycle,
            mode="exploit",
            jobs=jobs,
            reason=what if jobs else f"{what}; deployments are switched off",
            focus=tuple(one.id for one in opportunities),
            director="triage",
        )

    return direct
