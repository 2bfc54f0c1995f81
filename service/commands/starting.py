"""Before a campaign runs: leave to start it, and a process of its own where that is asked for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.campaign import Campaign
from service.output import Output
from service.state import settings_of

if TYPE_CHECKING:
    from memory.ledger import Ledger
    from memory.state_folder import StateFolder

__all__ = ["may_run", "run_detached"]


def may_run(args: argparse.Namespace, ledger: Ledger, campaign: Campaign) -> None:
    """Leave to start or go on with a campaign, and to reach what it needs elsewhere.  Raises PolicyError."""
    from core.policy import Action
    from service.elsewhere import elsewhere
    from service.policy import Gate, ask_locally

    settings = settings_of(args)
    gate, details = Gate.of(settings, ledger), {"campaign": campaign.name}
    ask_locally(gate, Action.CAMPAIGN_START, details=details)
    if places := elsewhere(campaign, settings):
        ask_locally(gate, Action.REMOTE_CALL, details={**details, "to": places})


def run_detached(
    args: argparse.Namespace, output: Output, folder: StateFolder, ledger: Ledger, campaign_id: str
) -> int:
    """Start it in a process of its own, with the options of this call that are no part of the campaign."""
    from service.detached import start_detached

    given: dict[str, Any] = {
        "cycles": args.cycles,
        "until": args.until,
        "time": args.time,
        "budget-usd": args.budget_usd,
        "budget-tokens": args.budget_tokens,
        "report": args.report and Path(args.report).absolute(),
        "record": args.record and Path(args.record).absolute(),
    }
    options = [f"--{name}={value}" for name, value in given.items() if value is not None]
    options += [f"--control={arm}" for arm in args.control or []] + ["--trust-code"] * args.trust_code
    run = start_detached(folder, ledger, settings_of(args), campaign_id, options)
    told = {"campaign": campaign_id, "status": "started", "pid": run.pid, "log": str(run.log)}
    text = f"{campaign_id} runs as process {run.pid}; it prints to {run.log}"
    output.result(told, text)
    output.say(f"look at it with `python run_graph.py status {campaign_id}`; `kill {run.pid}` stops it")
    return 0
