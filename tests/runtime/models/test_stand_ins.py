"""The stand-ins themselves: valid answers for any schema, their own process, and their death."""

from __future__ import annotations

import asyncio
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import pytest
from calls import PLAN, call
from pydantic import BaseModel, Field, TypeAdapter

from core.errors import ModelSilentError
from core.records import Direction, Proposal, Vote
from runtime.models.choice import open_chat
from tests.model_servers import ollama_stand_in
from tests.model_servers.schema_answers import answer_for


class Colour(Enum):
    RED = "red"


class Node(BaseModel):
    name: Annotated[str, Field(min_length=12, max_length=14)]
    next: Node | None = None
    children: list[Node] = []


class Wide(BaseModel):
    a: int = Field(gt=3, lt=5)
    b: float = Field(ge=0.25, le=0.5)
    c: Literal["x", "y"]
    d: Colour
    e: dict[str, int] = Field(min_length=2)
    f: list[Node] = Field(min_length=2)
    g: tuple[int, str]
    h: set[int] = Field(min_length=3)
    i: int | str
    j: bool
    k: None
    m: int = Field(multiple_of=7, ge=8)
    n: Any
    o: Annotated[float, Field(lt=0)]


@pytest.mark.parametrize("kind", [Wide, Node, Direction, Vote, Proposal])
@pytest.mark.parametrize("all_fields", [False, True])
def test_an_answer_for_any_schema_is_valid(kind: type[BaseModel], all_fields: bool) -> None:
    made = answer_for(kind.model_json_schema(), all_fields=all_fields)
    TypeAdapter(kind).validate_python(made, strict=False)


def test_a_field_may_be_decided() -> None:
    made = answer_for(Node.model_json_schema(), lambda name, schema: "exactly this" if name == "name" else None)
    assert made["name"] == "exactly this"


def test_in_its_own_process_it_dies_in_the_middle() -> None:
    with ollama_stand_in.spawn("--model", "tiny:1b", "--die-after", "2") as url:
        assert httpx.get(f"{url}/api/tags").json()["models"][0]["name"] == "tiny:1b"

        async def ask() -> list[str]:
            chat = open_chat("ollama:tiny:1b", PLAN, Path(), {"OLLAMA_HOST": url})
            replies = [(await chat.complete(call())).text for _ in range(2)]
            for _ in range(2):
                with pytest.raises(ModelSilentError):
                    await chat.complete(call())
            return replies

        assert asyncio.run(ask()) == ["yes", "yes"]


def test_a_call_that_does_not_stream_is_answered_at_once() -> None:
    with ollama_stand_in.start(lambda asked: {"score": 1}) as server:
        body = {"model": "llama3.2", "messages": [{"role": "user", "content": "x"}], "stream": False}
        told = httpx.post(f"{server.url}/api/chat", json=body).json()
    assert told["message"]["content"] == '{"score": 1}'
    assert told["done_reason"] == "stop"
