"""An operation under a key is done once, also when the process died in the middle of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConflictError, RatchetError, UnavailableError
from core.policy import Action
from core.settings import Settings
from memory.ledger import Ledger
from service.operations.desk import Desk, local_asker, open_desk
from service.operations.once import perform_once
from service.operations.operation import Operation, Taken, Told


class Words(Taken):
    text: str


class Echo(Told):
    text: str
    number: int


class Counting:
    """An operation that counts how often it is carried out, and fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.calls: list[str] = []
        self.noted: list[str] = []
        self.failures = failures
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()

    async def __call__(self, taken: Words, desk: Desk) -> Echo:
        self.calls.append(taken.text)
        self.noted.append(desk.noted)
        if self.gate is not None:
            self.entered.set()
            await self.gate.wait()
        desk.keep(f"begun {len(self.calls)}")
        if len(self.calls) <= self.failures:
            raise UnavailableError("not now")
        return Echo(text=taken.text, number=len(self.calls))

    @property
    def operation(self) -> Operation:
        async def function(taken: Any, desk: Desk) -> Echo:
            return await self(taken, desk)

        return Operation("test.echo", "Echo", Action.GUIDE, Words, Echo, function, "POST", "/echo", changes=True)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(Settings(home=tmp_path), local_asker()) as desk:
        yield desk


def do(counting: Counting, desk: Desk, text: str = "a", key: str = "k") -> Echo:
    told = asyncio.run(perform_once(counting.operation, Words(text=text), desk, key))
    assert isinstance(told, Echo)
    return told


def test_the_same_key_and_input_is_one_deed(desk: Desk, tmp_path: Path) -> None:
    counting = Counting()
    first = do(counting, desk)
    assert do(counting, desk) == first
    with open_desk(Settings(home=tmp_path), local_asker()) as later:  # as after a restart
        assert do(counting, later) == first
    assert counting.calls == ["a"]


def test_another_input_another_key_another_asker(desk: Desk) -> None:
    counting = Counting()
    do(counting, desk)
    with pytest.raises(ConflictError, match="other content"):
        do(counting, desk, text="b")
    do(counting, desk, text="b", key="l")
    do(counting, desk.asked_by(replace(desk.asker, actor="bob")), text="b")
    assert counting.calls == ["a", "b", "b"]


def test_what_failed_is_tried_again_and_told_what_it_had_begun(desk: Desk) -> None:
    counting = Counting(failures=1)
    with pytest.raises(RatchetError, match="not now"):
        do(counting, desk)
    assert do(counting, desk).number == 2
    assert counting.noted == ["", "begun 1"]


def test_two_at_the_same_time_are_one(desk: Desk) -> None:
    counting = Counting()

    async def both() -> list[Any]:
        counting.gate, counting.entered = asyncio.Event(), asyncio.Event()
        one = asyncio.create_task(perform_once(counting.operation, Words(text="a"), desk, "k"))
        await counting.entered.wait()
        two = asyncio.create_task(perform_once(counting.operation, Words(text="a"), desk, "k"))
        answers = [await asyncio.gather(two, return_exceptions=True)]
        counting.gate.set()
        return [*answers[0], await one]

    refused, told = asyncio.run(both())
    assert isinstance(refused, ConflictError)
    assert told.number == 1
    assert counting.calls == ["a"]


def test_a_key_is_forgotten_after_a_week_and_not_before(tmp_path: Path) -> None:
    now = [1_000_000.0]
    counting = Counting()
    with (
        Ledger(tmp_path / "ledger.db", clock=lambda: now[0]) as ledger,
        open_desk(Settings(home=tmp_path), local_asker(), ledger=ledger) as desk,
    ):
        do(counting, desk)
        now[0] += 6 * 24 * 3600
        assert do(counting, desk).number == 1
        now[0] += 2 * 24 * 3600
        assert do(counting, desk, key="another").number == 2
        assert len(ledger.effects.of(kind="request")) == 1
        assert do(counting, desk, text="b").number == 3
