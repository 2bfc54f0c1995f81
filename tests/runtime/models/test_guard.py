"""The guard on its own, with a clock that goes by when somebody sleeps."""

from __future__ import annotations

import asyncio
import random

import pytest
from calls import Clock, call

from core.errors import ModelBudgetError, ModelError, ModelRefusedError, ModelSilentError
from core.models import ChatCall
from runtime.models.guard import Breaker, GuardedChat
from runtime.models.scripted import FunctionChat, ScriptedChat

SILENT = ModelSilentError("gone")


def guarded(chat: ScriptedChat | FunctionChat, clock: Clock, **settings: object) -> GuardedChat:
    breaker = Breaker(after=4, pause_s=60, clock=clock)
    return GuardedChat(chat, sleep=clock.sleep, **{"breaker": breaker, "retries": 2, **settings})  # type: ignore[arg-type]


def test_silence_is_asked_again_and_counted() -> None:
    clock = Clock()
    reply = asyncio.run(guarded(ScriptedChat([SILENT, SILENT, "at last"]), clock).complete(call()))
    assert (reply.text, reply.attempts) == ("at last", 3)
    assert 0.25 <= clock.slept[0] <= 0.75
    assert 0.5 <= clock.slept[1] <= 1.5


def test_the_first_pause_can_be_chosen_and_the_next_is_twice_as_long() -> None:
    clock = Clock()
    asyncio.run(guarded(ScriptedChat([SILENT, SILENT, "x"]), clock, first_pause_s=2.0).complete(call()))
    assert 1.0 <= clock.slept[0] <= 3.0
    assert 2.0 <= clock.slept[1] <= 6.0


def test_pauses_are_those_of_the_seed() -> None:
    slept = []
    for _ in range(2):
        clock = Clock()
        chat = guarded(ScriptedChat([SILENT, SILENT, "x"]), clock, rng=random.Random(7))
        asyncio.run(chat.complete(call()))
        slept.append(clock.slept)
    assert slept[0] == slept[1]


def test_after_its_retries_the_last_error_is_raised() -> None:
    chat = ScriptedChat([SILENT, SILENT, ModelSilentError("the third"), "too late"])
    with pytest.raises(ModelSilentError, match="the third"):
        asyncio.run(guarded(chat, Clock()).complete(call()))
    assert len(chat.calls) == 3


@pytest.mark.parametrize("error", [ModelRefusedError("no key"), ModelBudgetError("spent")])
def test_what_is_final_is_not_repeated(error: ModelError) -> None:
    chat, clock = ScriptedChat([error, "never"]), Clock()
    with pytest.raises(type(error)):
        asyncio.run(guarded(chat, clock).complete(call()))
    assert len(chat.calls) == 1
    assert not clock.slept


def test_as_long_as_the_server_asks_for() -> None:
    clock = Clock()
    chat = ScriptedChat([ModelSilentError("busy", retry_after_s=42.0), "now"])
    asyncio.run(guarded(chat, clock).complete(call()))
    assert clock.slept == [42.0]


def test_a_server_that_asks_for_hours_is_given_up() -> None:
    chat, clock = ScriptedChat([ModelSilentError("busy", retry_after_s=7200.0), "never"]), Clock()
    with pytest.raises(ModelSilentError):
        asyncio.run(guarded(chat, clock).complete(call()))
    assert not clock.slept


def test_a_hanging_chat_is_left_after_its_time() -> None:
    async def hang(asked: ChatCall) -> str:
        await asyncio.sleep(60)
        return ""

    with pytest.raises(ModelSilentError, match=r"within 0\.05 s"):
        asyncio.run(guarded(FunctionChat(hang), Clock(), timeout_s=0.05, retries=0).complete(call()))


def test_the_breaker_opens_and_lets_one_try_after_its_pause() -> None:
    clock = Clock()
    state = {"well": False}

    async def answer(asked: ChatCall) -> str:
        await asyncio.sleep(0)
        if not state["well"]:
            raise ModelSilentError("gone")
        return "back"

    chat = FunctionChat(answer)
    guard = guarded(chat, clock, retries=9)

    async def play() -> None:
        with pytest.raises(ModelSilentError, match="gone"):
            await guard.complete(call())
        assert len(chat.calls) == 4  # opened in the middle of its tries, and left off
        for _ in range(3):
            with pytest.raises(ModelSilentError, match="not asked"):
                await guard.complete(call())
        assert len(chat.calls) == 4
        clock.now += 60
        told = await asyncio.gather(*(guard.complete(call()) for _ in range(5)), return_exceptions=True)
        assert len(chat.calls) == 5  # one of five tried, and failed: open again
        assert all(isinstance(one, ModelSilentError) for one in told)
        clock.now += 60
        state["well"] = True
        assert (await guard.complete(call())).text == "back"
        assert (await guard.complete(call())).text == "back"

    asyncio.run(play())


def test_an_attempt_that_was_cancelled_does_not_keep_the_breaker_shut() -> None:
    clock = Clock()
    breaker = Breaker(after=1, pause_s=10, clock=clock)

    async def hang(asked: ChatCall) -> str:
        if clock.now == 10:
            await asyncio.sleep(60)
        if clock.now == 0:
            raise ModelSilentError("gone")
        return "back"

    guard = guarded(FunctionChat(hang), clock, breaker=breaker, retries=0)

    async def play() -> None:
        with pytest.raises(ModelSilentError):
            await guard.complete(call())
        clock.now = 10
        task = asyncio.create_task(guard.complete(call()))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        clock.now = 11
        assert (await guard.complete(call())).text == "back"

    asyncio.run(play())


def test_a_refusal_or_a_budget_says_the_right_thing_about_the_server() -> None:
    clock = Clock()
    breaker = Breaker(after=2, clock=clock)
    chat = ScriptedChat([SILENT, ModelRefusedError("bad request"), SILENT, ModelBudgetError("spent"), SILENT, "never"])
    guard = guarded(chat, clock, breaker=breaker, retries=0)

    async def play() -> None:
        for _ in range(4):
            with pytest.raises(ModelError):
                await guard.complete(call())
        assert not breaker.open  # a refusal is an answer, so only one silence is counted
        with pytest.raises(ModelSilentError):
            await guard.complete(call())
        assert breaker.open  # a budget is none, so two in a row

    asyncio.run(play())


def test_no_more_than_its_concurrency_is_in_flight_and_pauses_hold_no_turn() -> None:
    clock = Clock()
    state = {"now": 0, "most": 0}

    async def answer(asked: ChatCall) -> str:
        state["now"] += 1
        state["most"] = max(state["most"], state["now"])
        await asyncio.sleep(0.01)
        state["now"] -= 1
        return "x"

    async def play() -> None:
        guard = guarded(FunctionChat(answer), clock, concurrency=3)
        await asyncio.gather(*(guard.complete(call()) for _ in range(12)))

    asyncio.run(play())
    assert state["most"] == 3
