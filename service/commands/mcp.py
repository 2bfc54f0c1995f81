"""`mcp`: every operation as a tool for a client that starts this program, on standard input and output."""

from __future__ import annotations

import argparse
import signal
from dataclasses import replace

from service.output import Output
from service.state import settings_of

__all__ = ["mcp"]


def mcp(args: argparse.Namespace, output: Output) -> int:
    """`mcp [--campaign FILE]… [--role ROLE]…`.  Nothing but the protocol is written to stdout."""
    import asyncio

    from service.commands.serve import registered, say_broken_rules
    from service.mcp.server import on_stdio, server_over
    from service.operations.desk import local_asker, open_desk
    from service.operations.tail import Tail
    from service.policy import capabilities_of

    campaigns = registered(args.campaign)
    settings = settings_of(args)
    settings = settings.model_copy(update={"home": settings.home.absolute()})
    asker = replace(
        local_asker(),
        roles=tuple(args.role or ("agent",)),
        capabilities=capabilities_of(),
        route="mcp",
        autonomous=True,
    )

    async def work() -> None:
        with open_desk(settings, asker, campaigns=campaigns, check=True) as desk:
            tail = Tail(desk.ledger)
            try:
                output.say(f"MCP on standard input and output, over {settings.home}, as {', '.join(asker.roles)}")
                say_broken_rules(settings, output)
                await on_stdio(server_over(desk, tail))
            finally:
                tail.close()

    # Ctrl-C ends it as SIGTERM does: whoever waits for a line of standard input cannot be woken, and nothing is lost
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.run(work())
    return 0
