"""Waiting for the next cycle on a live service: for its time, or for a critical alarm, whichever comes first.

A slot of the schedule is an effect with a key: whoever claims and finishes it has run its cycle, and no other process
does it again.  A slot that passed while nobody waited is run at once, the newest one only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.ids import Clock, system_clock
from core.improvement import ImprovementSettings
from core.live_plan import LivePlan
from core.telemetry import AlarmTransition
from memory.effects import Effect
from memory.ledger import Ledger
from search.cycle_times import due_slot, next_slot

__all__ = ["Due", "Slots", "for_alarm", "for_schedule", "wait_for_cycle"]

LOOK_S = 5.0
"""How often alarms are looked for: far below the 30 s in which a cycle has to begin."""
KIND = "improvement slot"


@dataclass(frozen=True)
class Due:
    """Why a cycle is to run now: `slot` of the schedule (UTC seconds), or an `alarm`."""

    slot: float = 0.0
    alarm: AlarmTransition | None = None


class Slots:
    """The slots of one campaign, as the ledger knows them."""

    def __init__(self, ledger: Ledger, campaign_id: str, settings: ImprovementSettings) -> None:
        self._ledger, self._campaign_id, self._settings = ledger, campaign_id, settings

    def missed(self, now: float) -> float | None:
        """The newest slot up to `now` that nobody has run, if one was ever run or planned before it."""
        slot = due_slot(now, self._settings.interval_hours, self._settings.start_time)
        known = {effect.request["slot"]: effect.state for effect in self._ledger.effects.of(self._campaign_id, KIND)}
        return slot if known.get(slot) != "finished" and any(old <= slot for old in known) else None

    def plan(self, now: float) -> float:
        """The next slot, written down, so that it is known to have been missed when nobody is there then."""
        slot = next_slot(now, self._settings.interval_hours, self._settings.start_time)
        self.claim(slot)
        return slot

    def claim(self, slot: float) -> Effect:
        """The effect of a slot; one that was finished is not to be run again."""
        return self._ledger.effects.begin(
            f"{KIND} {self._campaign_id} {slot:.0f}", KIND, self._campaign_id, {"slot": slot}
        )

    def finish(self, effect: Effect, result: str) -> None:
        self._ledger.effects.finish(effect, result)


async def wait_for_cycle(
    slots: Slots,
    alarms: Callable[[], Awaitable[list[AlarmTransition]]],
    known: set[str],
    *,
    stopped: Callable[[], bool] = lambda: False,
    clock: Clock = system_clock,
    look_s: float = LOOK_S,
) -> Due | None:
    """Until a slot is due or a critical alarm is raised that is not `known` (by name and time); None when stopped.

    An alarm that is answered is added to `known`.
    """
    slot = slots.missed(clock()) or slots.plan(clock())
    while not stopped():
        for alarm in await alarms():
            name = f"{alarm.component}/{alarm.alarm}@{alarm.at:.0f}"
            if name not in known:
                known.add(name)
                return Due(alarm=alarm)
        if clock() >= slot:
            return Due(slot=slot)
        await asyncio.sleep(max(0.0, min(look_s, slot - clock())))
    return None


def for_schedule(plan: LivePlan) -> LivePlan:
    """The plan of a cycle that is run on time."""
    return plan.model_copy(update={"trigger": "schedule"})


def for_alarm(plan: LivePlan) -> LivePlan:
    """The plan of an emergency: the last hour, one improvement."""
    return plan.model_copy(update={"trigger": "alarm", "window_hours": 1.0, "max_improvements": 1})
