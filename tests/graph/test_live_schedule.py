"""When a cycle runs: on time, once, after a restart too, and at a critical alarm."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from core.improvement import ImprovementSettings
from core.live_plan import LivePlan
from core.telemetry import AlarmTransition
from graph.live_schedule import Due, Slots, for_alarm, for_schedule, wait_for_cycle
from memory.ledger import Ledger

DAY = 86_400.0
HOURLY = ImprovementSettings(interval_hours=1, start_time="00:00")


def waited(
    ledger: Ledger, now: Callable[[], float], *alarms: AlarmTransition, known: set[str] | None = None
) -> Due | None:
    async def told() -> list[AlarmTransition]:
        return list(alarms)

    slots = Slots(ledger, "shop-1", HOURLY)
    return asyncio.run(wait_for_cycle(slots, told, known if known is not None else set(), clock=now, look_s=0.001))


def ticking(start: float, step: float = 60.0) -> Callable[[], float]:
    at = [start]

    def now() -> float:
        at[0] += step
        return at[0]

    return now


def test_a_slot_is_waited_for_and_run_once(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        slots = Slots(ledger, "shop-1", HOURLY)
        due = waited(ledger, ticking(10 * DAY + 100))
        assert due is not None
        assert due.slot == 10 * DAY + 3600
        effect = slots.claim(due.slot)
        slots.finish(effect, "0")
        assert slots.claim(due.slot).state == "finished"
        assert slots.missed(due.slot + 10) is None
        assert slots.plan(due.slot + 10) == due.slot + 3600


def test_what_passed_while_nobody_was_there_is_run_at_once_the_newest_only(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        slots = Slots(ledger, "shop-1", HOURLY)
        assert slots.missed(10 * DAY) is None  # nobody had planned anything
        slots.plan(10 * DAY)
    with Ledger(tmp_path / "ledger.db") as ledger:
        due = waited(ledger, lambda: 10 * DAY + 5 * 3600 + 7)
        assert due == Due(slot=10 * DAY + 5 * 3600)
        slots = Slots(ledger, "shop-1", HOURLY)
        slots.finish(slots.claim(due.slot), "0")
        assert slots.missed(10 * DAY + 5 * 3600 + 20) is None


def test_an_alarm_comes_first_and_is_answered_once(tmp_path: Path) -> None:
    alarm = AlarmTransition(at=5.0, component="shop", alarm="latency", after="alarm", severity="critical")
    known: set[str] = set()
    with Ledger(tmp_path / "ledger.db") as ledger:
        due = waited(ledger, lambda: 10 * DAY + 1, alarm, known=known)
        assert due == Due(alarm=alarm)
        again = waited(ledger, ticking(10 * DAY + 1), alarm, known=known)
        assert again is not None
        assert again.alarm is None


def test_an_emergency_is_small(tmp_path: Path) -> None:
    plan = LivePlan.model_validate(
        {"files": ["a.py"], "start": ["x"], "telemetry": [{"jsonl": "t"}], "tests": ["t"], "window_hours": 24}
    )
    emergency = for_alarm(plan)
    assert (emergency.trigger, emergency.window_hours, emergency.max_improvements) == ("alarm", 1.0, 1)
    assert (for_schedule(plan).trigger, for_schedule(plan).window_hours) == ("schedule", 24)
