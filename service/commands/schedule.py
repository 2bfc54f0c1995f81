"""`improve --schedule`: stays, and runs a cycle whenever one is due or a critical alarm is raised."""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import BusyError
from service.output import Output

if TYPE_CHECKING:
    from core.campaign import Campaign
    from graph.live_schedule import Due
    from memory.ledger import Ledger, StoredCampaign
    from memory.state_folder import StateFolder

__all__ = ["run_schedule"]


def run_schedule(
    args: argparse.Namespace, output: Output, folder: StateFolder, ledger: Ledger, stored: StoredCampaign
) -> int:
    """Until a signal, `--time`, or `--cycles` cycles; answers the exit code of the last cycle.

    The service that a cycle has started is kept running between cycles.
    """
    from graph.live_campaign import find_live, live_settings
    from graph.live_schedule import Slots, for_alarm, for_schedule
    from service.commands.run import run_stored

    args.keep_service = True
    campaign: Campaign = stored.definition
    assert campaign.live is not None
    slots, known, code, done = Slots(ledger, stored.id, live_settings(campaign)), set[str](), 0, 0
    until = time.monotonic() + campaign.budget.time_s if campaign.budget.time_s else None
    while args.cycles is None or done < args.cycles:
        due = asyncio.run(_waited(folder, stored, slots, known, until, output))
        if due is None:
            break
        effect = None if due.alarm is not None else slots.claim(due.slot)
        if effect is not None and effect.state == "finished":
            continue
        plan = for_alarm(campaign.live) if due.alarm is not None else for_schedule(campaign.live)
        output.say(f"a cycle begins: {_why(due)}")
        again, _ = find_live(ledger, campaign.model_copy(update={"live": plan}))
        try:
            code = run_stored(args, output, folder, ledger, replace(stored, definition=again.definition))
        except BusyError as error:  # somebody runs one by hand: that one counts
            output.error(error)
        if effect is not None:
            slots.finish(effect, str(code))
        done += 1
        if code in (128 + signal.SIGINT, 128 + signal.SIGTERM):
            break
    return code


async def _waited(
    folder: StateFolder, stored: StoredCampaign, slots: object, known: set[str], until: float | None, output: Output
) -> Due | None:
    """What comes first; the telemetry is listened to meanwhile, and let go of before the cycle takes it over."""
    from graph.live_campaign import LiveSession, quiet_door
    from graph.live_schedule import Slots, wait_for_cycle

    assert isinstance(slots, Slots)
    told: list[int] = []
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.append, number)
    session = LiveSession(folder.services / stored.id, stored.definition, quiet_door(), trusted=False)
    listening = await session.only_listen()
    output.say("waiting for the next cycle; Ctrl-C stops")
    try:
        return await wait_for_cycle(
            slots,
            listening.critical_alarms,
            known,
            stopped=lambda: bool(told) or (until is not None and time.monotonic() > until),
            look_s=1.0,
        )
    finally:
        await listening.close()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _why(due: Due) -> str:
    if due.alarm is not None:
        return f"critical alarm {due.alarm.alarm}: {due.alarm.reason}"
    return "it is " + time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(due.slot))
