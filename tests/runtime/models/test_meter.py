"""Caps hold before a call, with calls side by side, and over sessions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from calls import Clock, call
from hypothesis import given
from hypothesis import strategies as st

from core.campaign import Budget, Price
from core.errors import ModelBudgetError, ModelError, ModelRefusedError, ModelSilentError
from core.models import ChatCall, ChatReply
from runtime.models.guard import GuardedChat
from runtime.models.meter import Meter, MeteredChat, Spent, worst_case
from runtime.models.prices import price_of
from runtime.models.scripted import FunctionChat, ScriptedChat
from runtime.models.uncertain import UncertainError

PRICES = {"openai:gpt": Price(input=1.0, output=10.0)}


def paid(**changes: Any) -> ChatCall:
    return call(model_id="openai:gpt", **changes)


def test_a_call_costs_what_its_tokens_cost() -> None:
    meter = Meter(Budget(), PRICES)
    chat = MeteredChat(ScriptedChat([ChatReply(text="x", input_tokens=1000, output_tokens=100)]), meter, "voter")
    reply = asyncio.run(chat.complete(paid()))
    assert reply.cost_usd == pytest.approx(0.002)
    assert meter.spent.tokens == 1100
    assert meter.roles["voter"].usd == pytest.approx(0.002)


@pytest.mark.parametrize("budget", [Budget(tokens=100), Budget(usd=0.0001), Budget(model_time_s=0)])
def test_a_call_that_could_pass_a_cap_is_not_made(budget: Budget) -> None:
    chat = FunctionChat(lambda asked: "x")
    with pytest.raises(ModelBudgetError) as caught:
        asyncio.run(MeteredChat(chat, Meter(budget, PRICES)).complete(paid()))
    assert not chat.calls
    assert caught.value.where.startswith("budget.")


def test_what_earlier_sessions_spent_counts() -> None:
    worst = worst_case(paid(), PRICES["openai:gpt"])
    for before, fits in ((0, True), (1, False)):
        meter = Meter(Budget(tokens=worst.tokens), PRICES, Spent(tokens=before))
        task = MeteredChat(ScriptedChat(["x"]), meter).complete(paid())
        if fits:
            asyncio.run(task)
        else:
            with pytest.raises(ModelBudgetError):
                asyncio.run(task)


@given(calls=st.integers(1, 12), room=st.floats(0.5, 6), used=st.floats(0, 1))
def test_calls_side_by_side_never_pass_a_cap(calls: int, room: float, used: float) -> None:
    worst = worst_case(paid(), PRICES["openai:gpt"])
    budget = Budget(tokens=int(worst.tokens * room), usd=worst.usd * room)
    meter = Meter(budget, PRICES)

    async def answer(asked: ChatCall) -> ChatReply:
        await asyncio.sleep(0)
        read = int((worst.tokens - asked.max_tokens) * used)
        return ChatReply(text="x", input_tokens=read, output_tokens=int(asked.max_tokens * used))

    async def play() -> list[Any]:
        chat = MeteredChat(FunctionChat(answer), meter)
        return await asyncio.wait_for(
            asyncio.gather(*(chat.complete(paid()) for _ in range(calls)), return_exceptions=True), 20
        )

    told = asyncio.run(play())
    assert all(isinstance(one, ChatReply | ModelBudgetError) for one in told)
    assert meter.spent.tokens <= (budget.tokens or 0)
    assert meter.spent.usd <= (budget.usd or 0) * (1 + 1e-9)
    if room >= 1:
        assert any(isinstance(one, ChatReply) for one in told)


def test_a_call_waits_for_those_in_flight_before_it_is_refused() -> None:
    worst = worst_case(paid(), None)
    meter = Meter(Budget(tokens=int(worst.tokens * 1.5)), PRICES)

    async def answer(asked: ChatCall) -> ChatReply:
        await asyncio.sleep(0.01)
        return ChatReply(text="x", input_tokens=1, output_tokens=1)

    async def play() -> list[ChatReply]:
        chat = MeteredChat(FunctionChat(answer), meter)
        return await asyncio.gather(*(chat.complete(paid()) for _ in range(8)))

    assert len(asyncio.run(play())) == 8


def test_the_cap_on_time_ends_a_call() -> None:
    async def slow(asked: ChatCall) -> str:
        await asyncio.sleep(30)
        return "x"

    meter = Meter(Budget(model_time_s=0.05), {})
    guard = GuardedChat(MeteredChat(FunctionChat(slow), meter, timeout_s=20), timeout_s=20)
    with pytest.raises(ModelBudgetError, match="model_time_s"):
        asyncio.run(guard.complete(call()))
    with pytest.raises(ModelBudgetError):
        asyncio.run(guard.complete(call()))


@pytest.mark.parametrize(
    ("error", "charged"),
    [(UncertainError("cut"), True), (ModelSilentError("not reached"), False), (ModelRefusedError("401"), False)],
)
def test_a_failed_call_is_charged_where_it_may_have_been_paid(error: ModelError, charged: bool) -> None:
    meter = Meter(Budget(), PRICES)
    with pytest.raises(type(error)):
        asyncio.run(MeteredChat(ScriptedChat([error]), meter).complete(paid()))
    assert (meter.spent.usd > 0) is charged
    assert (meter.spent.tokens == worst_case(paid(), None).tokens) is charged


def test_an_attempt_that_the_guard_ends_is_charged() -> None:
    clock = Clock()

    async def hang(asked: ChatCall) -> str:
        clock.now += 5
        await asyncio.sleep(30)
        return ""

    meter = Meter(Budget(), PRICES)
    guard = GuardedChat(MeteredChat(FunctionChat(hang), meter, clock=clock), timeout_s=0.05, retries=0)
    with pytest.raises(ModelSilentError):
        asyncio.run(guard.complete(paid()))
    assert meter.spent.usd == pytest.approx(worst_case(paid(), PRICES["openai:gpt"]).usd)
    assert meter.spent.seconds == 5


@pytest.mark.parametrize("source", ["replay", "stored"])
def test_a_paid_answer_is_not_paid_again(source: Any) -> None:
    meter = Meter(Budget(), PRICES)
    reply = ChatReply(text="x", input_tokens=10, output_tokens=10, source=source)
    asyncio.run(MeteredChat(ScriptedChat([reply]), meter).complete(paid()))
    assert meter.spent == Spent()


def test_a_cap_without_a_price_is_refused_with_what_to_write() -> None:
    with pytest.raises(ModelBudgetError, match="nobody said") as caught:
        asyncio.run(MeteredChat(ScriptedChat(["x"]), Meter(Budget(usd=1), {})).complete(paid()))
    assert "openai:gpt" in caught.value.hint
    asyncio.run(MeteredChat(ScriptedChat(["x"]), Meter(Budget(), {})).complete(paid()))  # no cap, no price needed


def test_local_models_cost_nothing_and_clouds_are_not_local() -> None:
    assert price_of("ollama:llama3.2", {}) == Price(input=0, output=0)
    assert price_of("ollama:gpt-oss:120b-cloud", {}) is None
    assert price_of("openai:gpt", {}) is None
    assert price_of("mine.py:make", {"mine.py:make": Price(input=1, output=1)}) == Price(input=1, output=1)
