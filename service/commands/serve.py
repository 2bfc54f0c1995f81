"""`serve`: every operation over HTTP, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from core.errors import UsageError
from core.settings import Settings
from service.output import Output
from service.state import settings_of

__all__ = ["registered", "say_broken_rules", "serve"]


def serve(args: argparse.Namespace, output: Output) -> int:
    """`serve [--campaign FILE]… [--host HOST] [--port N] [--token TOKEN] [--role ROLE]…`"""
    import asyncio

    from service.http.guard import keep_token
    from service.http.listening import Address
    from service.mcp.server import mounted
    from service.operations.desk import Asker
    from service.policy import capabilities_of
    from service.rest.server import Plan
    from service.rest.server import serve as serve_

    campaigns = registered(args.campaign)
    settings = settings_of(args)
    settings = settings.model_copy(update={"home": settings.home.absolute()})
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = settings.home / "token"
    token, new = keep_token(kept, args.token or os.environ.get("RATCHET_TOKEN", ""))
    capabilities = capabilities_of()
    asker = Asker("token", tuple(args.role or ("owner",)), capabilities=capabilities)

    def ready(at: Address) -> None:
        output.start(url=at.url, home=str(settings.home), token_file=str(kept), campaigns=list(campaigns))
        output.say(f"serving {settings.home} at {at.url}; Ctrl-C stops, campaigns go on")
        if new:  # the only time it is shown; also when quiet, for without it nothing can be asked
            output.talk(f"token  {token}\n       clients read it from RATCHET_TOKEN; kept in {kept}\n")
        missing = [name for name in ("ENABLE_TRAINING", "ENABLE_AUTONOMY") if name not in capabilities]
        if missing:
            output.say(f"not set, so what needs them is refused: {', '.join(missing)}")
        say_broken_rules(settings, output)
        if not at.loopback:
            output.say(f"{at.host} is not this machine alone, and plain HTTP shows the token: put TLS before it")

    address = Address(args.host, args.port)
    plan = Plan(settings, address, token, asker, campaigns, mounts=(mounted,))
    number = asyncio.run(serve_(plan, ready))
    output.result({"status": "stopped", "signal": number}, "")
    output.say("stopped; campaigns that run go on")
    return 128 + number


def say_broken_rules(settings: Settings, output: Output) -> None:
    """Before anybody asks in vain."""
    from service.policy import Policy

    if fault := Policy.load(settings.policy_file).fault:
        output.say(f"the rules file is broken, so everything but looking is refused: {fault}")


def registered(files: Sequence[str] | None) -> dict[str, Path]:
    """The campaign files that may be started, by the campaign's name.  Raises UsageError, ConfigError."""
    from graph.campaign_file import campaign_file, check_command, read_campaign

    campaigns: dict[str, Path] = {}
    for file in files or []:
        path = campaign_file(Path(file)).absolute()
        campaign = read_campaign(path)
        check_command(campaign, str(path))
        if campaigns.setdefault(campaign.name, path) != path:
            raise UsageError(f"two campaigns are called {campaign.name!r}", where=f"--campaign {file}")
    return campaigns
