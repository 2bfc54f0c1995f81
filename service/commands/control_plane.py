"""`control-plane`: training jobs over HTTP, served until Ctrl-C."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from core.errors import UsageError
from service.output import Output
from service.state import settings_of

__all__ = ["control_plane"]


def control_plane(args: argparse.Namespace, output: Output) -> int:
    """`control-plane [--campaign FILE]…`"""
    import asyncio

    from agents.training.works import Works
    from graph.campaign_file import campaign_file, check_command, read_campaign
    from runtime.control_plane.wire import Work
    from service.control_plane.server import Plan, serve
    from service.http.guard import keep_token
    from service.http.listening import Address

    if args.parallel < 1:
        raise UsageError(f"--parallel {args.parallel}: at least one job must be able to run", where="command line")
    campaigns = [read_campaign(Path(file)) for file in args.campaign or []]
    for campaign, file in zip(campaigns, args.campaign or [], strict=True):
        check_command(campaign, str(campaign_file(Path(file))))
    by_name = {name: work for campaign in campaigns for name, work in Work.all_of(campaign).items()}
    works = Works(by_name, args.allow_any_command)
    settings = settings_of(args)
    home = settings.home.absolute() / "control-plane"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    token, new = keep_token(home / "token", args.token or os.environ.get("CONTROL_PLANE_TOKEN", ""))
    address = Address(args.host, args.port)

    def ready(at: Address) -> None:
        output.start(url=at.url, home=str(home), token_file=str(home / "token"), campaigns=list(works.by_name))
        output.say(f"control plane at {at.url}, {args.parallel} jobs at once; Ctrl-C stops")
        if new:  # the only time it is shown; also when quiet, for without it nothing can be asked
            output.talk(f"token  {token}\n       clients read it from CONTROL_PLANE_TOKEN; kept in {home / 'token'}\n")
        if not works.by_name and not works.any_command:
            output.say("no campaign is registered, so nothing may run: add --campaign FILE")
        if works.any_command:
            output.say("any command runs here for whoever has the token (--allow-any-command)")
        if not at.loopback:
            output.say(f"{at.host} is not this machine alone, and plain HTTP shows the token: put TLS before it")

    plan = Plan(home, address, token, works, args.parallel, args.cancel_on_exit)
    number = asyncio.run(serve(plan, ready))
    left = "ended" if args.cancel_on_exit else "left to their keepers; the next start takes them up"
    output.result({"status": "stopped", "signal": number, "jobs": left}, "")
    output.say(f"stopped; running jobs were {left}")
    return 128 + number
