"""The tail: every event once and in order, from any place, of other processes too; histories that keep up with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.events import CycleStarted
from memory.history import History
from memory.ledger import Ledger
from service.operations.histories import Histories
from service.operations.tail import KEPT, Tail


@pytest.fixture
def ledgers(tmp_path: Path) -> Iterator[tuple[Ledger, Ledger]]:
    """One that is followed, and the same as another process has it."""
    with Ledger(tmp_path / "ledger.db") as ours, Ledger(tmp_path / "ledger.db") as theirs:
        yield ours, theirs


def tell(ledger: Ledger, first: int, count: int, campaign: str = "c-1") -> None:
    ledger.append(*(CycleStarted(campaign_id=campaign, cycle=n) for n in range(first, first + count)))


async def take(tail: Tail, count: int, after: int | None, campaign: str | None = None) -> list[int]:
    found: list[int] = []
    async for lines in tail.follow(after, campaign):
        found += [line.seq for line in lines]
        if len(found) >= count:
            break
    return found


def test_every_event_once_from_any_place(ledgers: tuple[Ledger, Ledger]) -> None:
    ours, theirs = ledgers
    tell(theirs, 1, 30)
    tell(theirs, 1, 10, "c-2")

    async def main() -> None:
        tail = Tail(ours)
        live, fresh = tail.follow(heartbeat_s=0.001), []
        assert await anext(live) == []  # it has begun
        old = asyncio.create_task(take(tail, 45, 0))
        one = asyncio.create_task(take(tail, 8, 33, "c-2"))
        tell(theirs, 31, 4)
        tell(theirs, 11, 1, "c-2")
        while len(fresh) < 5:
            fresh += [line.seq for line in await anext(live)]
        assert fresh == list(range(41, 46))
        assert await old == list(range(1, 46))
        assert await one == [*range(34, 41), 45]

    asyncio.run(main())


def test_one_that_fell_far_behind_loses_nothing(ledgers: tuple[Ledger, Ledger]) -> None:
    ours, theirs = ledgers
    count = KEPT + 300

    async def main() -> None:
        tail = Tail(ours)
        slow, found = tail.follow(0), []
        tell(theirs, 1, 1)
        found += [line.seq for line in await anext(slow)]
        tell(theirs, 2, count - 1)
        quick = await take(tail, count, 0)  # the slow one sleeps meanwhile
        while len(found) < count:
            found += [line.seq for line in await anext(slow)]
        assert found == quick == list(range(1, count + 1))

    asyncio.run(main())


def test_silence_is_told_and_closing_ends_it(ledgers: tuple[Ledger, Ledger]) -> None:
    async def main() -> None:
        tail = Tail(ledgers[0])
        following = tail.follow(0, heartbeat_s=0.01)
        assert await anext(following) == []
        tail.close()
        assert [lines async for lines in following] == []

    asyncio.run(main())


def test_histories_keep_up_with_other_processes(ledgers: tuple[Ledger, Ledger]) -> None:
    ours, theirs = ledgers
    tell(theirs, 1, 3)
    histories = Histories(ours)
    for count in (3, 5, 6):
        tell(theirs, 4, count - 3)
        tell(theirs, count, 1, "c-2")
        with histories.of("c-1") as history:
            assert set(history.cycles) == set(History.load(ours, "c-1").cycles) == set(range(1, count + 1))
        with histories.of_each(["c-2", "c-1"]) as (second, first):
            assert count in second.cycles
            assert len(first.cycles) == count


def test_what_came_while_nobody_followed_is_there_for_who_asks_for_it(ledgers: tuple[Ledger, Ledger]) -> None:
    ours, theirs = ledgers
    count = KEPT + 300

    async def main() -> None:
        tail = Tail(ours)
        tell(theirs, 1, 10)
        assert await take(tail, 10, 0) == list(range(1, 11))
        tell(theirs, 11, count - 10)  # nobody follows
        live = tail.follow(heartbeat_s=0.001)
        assert await anext(live) == []
        tell(theirs, count + 1, 1, "c-2")
        fresh: list[int] = []
        while not fresh:
            fresh += [line.seq for line in await anext(live)]
        assert fresh == [count + 1]
        assert await take(tail, count - 5, 6) == list(range(7, count + 2))
        assert await take(tail, 1, 6, "c-2") == [count + 1]

    asyncio.run(main())
