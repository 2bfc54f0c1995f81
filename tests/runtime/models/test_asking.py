"""A model as roles see it: bounded repairs, faults sent back, everything told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from calls import Judgement, prompt, repair

from core.errors import ModelAnswerError, ModelSilentError
from core.models import ChatCall, ChatReply, TextAnswer
from runtime.models.asking import Asked, AskingModel, current_prompt
from runtime.models.scripted import FunctionChat, ScriptedChat

GOOD = '{"score": 0.5, "reason": "fine"}'


def asking(chat: FunctionChat, told: list[Asked] | None = None, repairs: int = 2) -> AskingModel:
    return AskingModel("ollama:llama3.2", chat, repair, 0.3, 5, repairs, told.append if told is not None else None)


def test_a_valid_answer_takes_one_call_with_its_settings() -> None:
    chat = ScriptedChat([GOOD])
    assert asyncio.run(asking(chat).ask(prompt(), Judgement)).score == 0.5
    (asked,) = chat.calls
    assert (asked.model_id, asked.temperature, asked.seed, asked.max_tokens) == ("ollama:llama3.2", 0.3, 5, 200)
    assert asked.answer_schema == Judgement.model_json_schema()


def test_faults_are_sent_back_with_the_last_answer_only() -> None:
    chat, told = ScriptedChat(['{"score": 9}', "no idea", GOOD]), list[Asked]()
    asyncio.run(asking(chat, told).ask(prompt(), Judgement))
    assert [len(asked.messages) for asked in chat.calls] == [2, 4, 4]
    assert chat.calls[1].messages[2].text == '{"score": 9}'
    assert "reason: the field is missing." in chat.calls[1].messages[3].text
    assert chat.calls[2].messages[2].text == "no idea"
    assert [(one.repair, bool(one.faults)) for one in told] == [(0, True), (1, True), (2, False)]


def test_after_its_repairs_the_last_faults_are_raised() -> None:
    chat, told = ScriptedChat(["", "{}", '{"score": "high", "reason": "x"}', GOOD]), list[Asked]()
    with pytest.raises(ModelAnswerError, match="score: Input should be a valid number") as caught:
        asyncio.run(asking(chat, told).ask(prompt(), Judgement))
    assert [one.error for one in told] == [None, None, caught.value]
    assert len(chat.calls) == 3
    assert "voter/judgement" in caught.value.where
    assert all(message.text for asked in chat.calls for message in asked.messages)  # some servers refuse empty ones


def test_the_roles_own_check_counts_as_a_fault() -> None:
    def check(answer: Judgement) -> Sequence[str]:
        return () if answer.tags else ["tags: name at least one."]

    chat = ScriptedChat([GOOD, '{"score": 0.5, "reason": "fine", "tags": ["x"]}'])
    assert asyncio.run(asking(chat).ask(prompt(), Judgement, check)).tags == ["x"]
    assert "name at least one" in chat.calls[1].messages[3].text


def test_a_long_wrong_answer_is_shown_shortened() -> None:
    chat = ScriptedChat(["x" * 100_000, GOOD])
    asyncio.run(asking(chat).ask(prompt(), Judgement))
    assert len(chat.calls[1].messages[2].text) == 8000


def test_an_answer_without_end_is_said_to_be_cut() -> None:
    chat = ScriptedChat([ChatReply(text='{"score": 0.5, "rea', finish="length"), GOOD])
    asyncio.run(asking(chat).ask(prompt(), Judgement))
    assert "cut off" in chat.calls[1].messages[3].text


def test_errors_are_told_and_raised() -> None:
    told: list[Asked] = []
    with pytest.raises(ModelSilentError):
        asyncio.run(asking(ScriptedChat([ModelSilentError("gone")]), told).ask(prompt(), Judgement))
    assert told[0].reply is None
    assert isinstance(told[0].error, ModelSilentError)


def test_each_call_knows_its_prompt_also_side_by_side() -> None:
    seen: list[tuple[str, str]] = []

    async def answer(asked: object) -> str:
        await asyncio.sleep(0.001)
        now = current_prompt.get()
        assert now is not None
        seen.append((now.name, asked.messages[1].text))  # type: ignore[attr-defined]
        return GOOD

    async def play() -> None:
        model = asking(FunctionChat(answer))
        await asyncio.gather(*(model.ask(prompt(f"p/{i}", user=f"p/{i}"), Judgement) for i in range(8)))

    asyncio.run(play())
    assert len(seen) == 8
    assert all(name == text for name, text in seen)
    assert current_prompt.get() is None


def test_a_free_text_is_no_json_and_needs_no_schema() -> None:
    chat = ScriptedChat(["", "<think>{}</think>\nplain words\x00"])
    answer = asyncio.run(asking(chat).ask(prompt(), TextAnswer, lambda told: [] if "plain" in told.text else ["no"]))
    assert answer.text.strip() == "plain words"
    assert [asked.answer_schema for asked in chat.calls] == [{}, {}]
    assert "The answer is empty." in chat.calls[1].messages[3].text


def test_half_a_text_is_sent_back() -> None:
    def cut(call: ChatCall) -> ChatReply:
        return ChatReply(text="```python:a.py\nx = 1", finish="length" if len(call.messages) == 2 else "stop")

    told: list[Asked] = []
    asyncio.run(asking(FunctionChat(cut), told).ask(prompt(), TextAnswer))
    assert [bool(one.faults) for one in told] == [True, False]
    assert "cut off" in told[0].faults[0]
