"""Cycles of improvement of live services: started by whoever may, run in the background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from core.campaign import Campaign
from core.errors import ConflictError, DeniedError, NotFoundError
from service.operations import runs
from service.operations.begun import begun_by
from service.operations.desk import Desk
from service.operations.operation import Taken, Told
from service.operations.runs import defaults_of

__all__ = ["CycleStarted", "TriggerCycle", "tenant_facts", "trigger_improvement_cycle"]


class TriggerCycle(Taken):
    """Run one improvement cycle of a registered live service now."""

    analysis_window_hours: float = Field(default=1.0, gt=0, le=7 * 24, description="of telemetry that is analysed")
    max_improvements: int = Field(default=3, ge=1, le=20, description="that the cycle puts live at most")
    tenant_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$")] | None = Field(
        default=None, description="whose service; left out: the owner's"
    )


class CycleStarted(Told):
    """The cycle runs in process `pid`, null when a repeated request finds its end; `cycle` is its number."""

    campaign: str
    cycle: int
    pid: int | None
    log: str
    risk_score: float


def tenant_facts(taken: TriggerCycle, _desk: Desk) -> Mapping[str, Any]:
    return {"target_tenant": taken.tenant_id} if taken.tenant_id else {}


def trigger_improvement_cycle(taken: TriggerCycle, desk: Desk) -> CycleStarted:
    """One more cycle of the tenant's campaign.

    Raises NotFoundError when no live service of the tenant is registered, DeniedError when its cycles are switched off,
    ConflictError while a cycle of it runs.
    """
    from graph.live_campaign import find_live, live_settings

    campaign = _registered(desk, taken.tenant_id or "")
    if not live_settings(campaign).enabled:
        hint = "IMPROVEMENT_CYCLE_ENABLED, or `enabled` of the tenant"
        raise DeniedError("improvement cycles are switched off", where=campaign.name, hint=hint)
    begun = begun_by(desk)
    if begun is not None and begun.cycles is not None:  # it was about to start, before a crash
        stored, cycle = desk.ledger.campaign(begun.campaign), begun.cycles
    else:
        stored, _ = find_live(desk.ledger, campaign)
        cycle = stored.definition.budget.cycles
        if (owner := desk.ledger.leases.owner(f"campaign {stored.id}")) is not None:
            raise ConflictError(
                f"a cycle of {stored.id} runs already, in process {owner.pid}",
                where="tenant_id",
                hint="wait for its end",
            )
    options = [
        *("--set", f"live.window_hours={taken.analysis_window_hours:g}"),
        *("--set", f"live.max_improvements={taken.max_improvements}"),
    ]
    run = runs.started(desk, stored, cycle, options)
    return CycleStarted(campaign=stored.id, cycle=cycle, pid=run.pid, log=run.log or "", risk_score=desk.risk)


def _registered(desk: Desk, tenant: str) -> Campaign:
    """The campaign of kind `live` that is registered here for a tenant.  Raises NotFoundError, ConfigError."""
    from graph.campaign_file import read_campaign
    from graph.loading import load_campaign

    for path in desk.campaigns.values():
        campaign = read_campaign(path)
        if campaign.live is not None and campaign.live.tenant == tenant:
            return load_campaign(path, defaults=defaults_of(desk.settings))
    whose = f"of the tenant {tenant!r} " if tenant else ""
    raise NotFoundError(
        f"no live service {whose}is registered here",
        where="tenant_id",
        hint="`serve --campaign FILE` registers a campaign of kind live",
    )
