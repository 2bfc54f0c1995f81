"""`improve --schedule`: stays, and runs a cycle whenever one is due or a critical alarm is raised."""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import BusyError
from service.output import Output

if TYPE_CHECKING:
    from core.campaign import Campaign
    from graph.live_campaign import LiveSession
    from graph.live_schedule import Due, Slots
    from memory.ledger import Ledger, StoredCampaign
    from memory.state_folder import StateFolder

__all__ = ["run_schedule"]

LOOK_S = 1.0
MOST_REFUSED = 5
"""Times in a row that the telemetry is another's, while nobody runs a cycle: another one waits for the schedule."""


def run_schedule(
    args: argparse.Namespace, output: Output, folder: StateFolder, ledger: Ledger, stored: StoredCampaign
) -> int:
    """Until a signal, `--time`, or `--cycles` cycles; answers the exit code of the last cycle.

    The service that a cycle has started is kept running between cycles, and ended with the last one.
    """
    from graph.live_campaign import LiveSession, find_live, live_settings, quiet_door
    from graph.live_schedule import Slots, for_alarm, for_schedule
    from service.commands.run import run_stored

    keep, args.keep_service = args.keep_service, True
    campaign: Campaign = stored.definition
    assert campaign.live is not None
    slots, known, code, done = Slots(ledger, stored.id, live_settings(campaign)), set[str](), 0, 0
    until = time.monotonic() + campaign.budget.time_s if campaign.budget.time_s else None

    def session() -> LiveSession:
        """As the service stands now: a cycle may have started it."""
        return LiveSession(folder.services / stored.id, campaign, quiet_door(), trusted=False)

    while args.cycles is None or done < args.cycles:
        due = asyncio.run(_waited(session, ledger, stored.id, slots, known, until, output))
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
    if not keep and ledger.leases.owner(f"campaign {stored.id}") is None:
        asyncio.run(session().close())
    return code


async def _waited(
    session: Callable[[], LiveSession],
    ledger: Ledger,
    campaign_id: str,
    slots: Slots,
    known: set[str],
    until: float | None,
    output: Output,
) -> Due | None:
    """What comes first; None when it is to end.

    The telemetry is listened to meanwhile, and let go of while a cycle runs: one of ours, or one that somebody has
    started by hand.  Raises BusyError when another process waits for the same.
    """
    from graph.live_schedule import wait_for_cycle

    told: list[int] = []
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.append, number)

    def ended() -> bool:
        return bool(told) or (until is not None and time.monotonic() > until)

    def by_hand() -> bool:
        return ledger.leases.owner(f"campaign {campaign_id}") is not None

    output.say("waiting for the next cycle; Ctrl-C stops")
    refused = 0
    try:
        while not ended():
            try:
                listening = None if by_hand() else await session().only_listen()
            except BusyError:
                refused += 1
                if refused > MOST_REFUSED and not by_hand():
                    break
                listening = None
            if listening is None:
                await asyncio.sleep(LOOK_S)
                continue
            refused = 0
            try:
                due = await wait_for_cycle(
                    slots, listening.critical_alarms, known, stopped=lambda: ended() or by_hand(), look_s=LOOK_S
                )
            finally:
                await listening.close()
            if due is not None:
                return due
        if refused:
            raise BusyError(
                "another process waits for the cycles of this service", where=campaign_id, hint="end it first"
            )
        return None
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _why(due: Due) -> str:
    if due.alarm is not None:
        return f"critical alarm {due.alarm.alarm}: {due.alarm.reason}"
    return "it is " + time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(due.slot))
