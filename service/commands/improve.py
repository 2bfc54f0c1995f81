"""`improve`: a cycle of improvement of a running service, in the foreground; or on a schedule."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DeniedError, UsageError
from service.output import Output
from service.state import campaign_defaults, campaign_overrides, open_folder, settings_of

if TYPE_CHECKING:
    from core.campaign import Campaign
    from memory.ledger import Ledger, StoredCampaign

__all__ = ["check_enabled", "improve"]


def improve(args: argparse.Namespace, output: Output) -> int:
    """`improve CAMPAIGN.yaml`"""
    from graph.live_campaign import find_live
    from service.commands.run import run_stored
    from service.commands.starting import may_run

    campaign = load_live(args)
    if args.dry_run:
        return _dry_run(campaign, output)
    folder = open_folder(args)
    with folder.open_ledger(check=True) as ledger:
        may_run(args, ledger, campaign)
        may_improve(args, ledger, campaign)
        check_enabled(campaign)
        stored, new = find_live(ledger, campaign, new=args.new, cycles=args.cycles or 1, planted=args.plant_regression)
        if not new:
            output.say(f"going on with {stored.id} (--new starts afresh, from your files)")
        elif (before := _before(ledger, stored)) and campaign.live is not None and campaign.live.start:
            told = f"what {before} keeps live is not in them; the same definition goes on with it"
            output.say(f"{stored.id} starts from your files: {told}")
        if args.schedule:
            from service.commands.schedule import run_schedule

            return run_schedule(args, output, folder, ledger, stored)
        return run_stored(args, output, folder, ledger, stored)


def _before(ledger: Ledger, stored: StoredCampaign) -> str:
    """The newest other campaign of the same name; empty for the first."""
    names = [one.id for one in ledger.campaigns() if one.definition.name == stored.definition.name]
    return next((name for name in reversed(names) if name != stored.id), "")


def load_live(args: argparse.Namespace) -> Campaign:
    """The campaign that is asked for.  Raises UsageError for one of another kind."""
    from graph.campaign_file import read_campaign
    from graph.loading import load_campaign
    from service.commands.run import model_choice

    path = Path(args.campaign_file)
    overrides = {**campaign_overrides(args), **model_choice(args)}
    campaign = read_campaign(path, overrides)
    if campaign.live is None:
        raise UsageError(
            f"{campaign.name} is a campaign of kind {campaign.kind}",
            where=args.campaign_file,
            hint=f"python run_graph.py run {args.campaign_file}",
        )
    if args.plant_regression:
        if not campaign.live.planted:
            raise UsageError(
                "this campaign has no regression to plant",
                where="--plant-regression",
                hint="name its folder: live.planted",
            )
        seats = [use.model_dump(mode="json") for use in campaign.council.proposers]
        overrides["council.proposers"] = [*seats, {"use": "planted", "folder": campaign.live.planted}]
    if args.time is not None:
        overrides["budget.time_s"] = args.time
    return load_campaign(path, overrides, defaults=campaign_defaults(args))


def may_improve(args: argparse.Namespace, ledger: Ledger, campaign: Campaign) -> None:
    """Leave to start a cycle.  Raises PolicyError."""
    from core.policy import Action
    from service.policy import Gate, ask_locally

    assert campaign.live is not None
    ask_locally(
        Gate.of(settings_of(args), ledger),
        Action.IMPROVEMENT_START,
        autonomous=campaign.live.trigger != "hand",
        details={"campaign": campaign.name},
    )


def check_enabled(campaign: Campaign) -> None:
    """The feature flag of the cycle, of all and of the tenant.  Raises DeniedError."""
    from graph.live_campaign import live_settings

    if not live_settings(campaign).enabled:
        assert campaign.live is not None
        whose = f"for the tenant {campaign.live.tenant}" if campaign.live.tenant else "here"
        hint = "IMPROVEMENT_CYCLE_ENABLED=true, or `enabled` in live.settings"
        raise DeniedError(f"improvement cycles are switched off {whose}", where=campaign.name, hint=hint)


def _dry_run(campaign: Campaign, output: Output) -> int:
    from graph.live_campaign import live_settings, watch_rules_of

    assert campaign.live is not None
    plan, settings = campaign.live, live_settings(campaign)
    rules = watch_rules_of(plan, settings)
    value: dict[str, Any] = {
        "campaign": campaign.name,
        "status": "checked",
        "settings": settings.model_dump(mode="json", exclude={"version"}),
        "watch": rules.model_dump(mode="json", exclude={"version"}),
    }
    text = (
        f"{campaign.name}: the campaign is sound; nothing was run\n"
        f"  service    {' '.join(plan.start) or plan.url}\n"
        f"  files      {', '.join(plan.files)}, below {plan.root}\n"
        f"  tests      {' '.join(plan.tests)}\n"
        f"  cycle      up to {plan.max_improvements} improvements, {plan.window_hours:g} h of telemetry\n"
        f"  gates      quality from {settings.quality_threshold:g}, risk to {settings.risk_tolerance:g}\n"
        f"  watch      {rules.duration_s:g} s in windows of {rules.interval_s:g} s, back above {rules.threshold:.0%}"
    )
    output.result(value, text)
    return 0
