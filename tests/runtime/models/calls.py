"""What the tests of models share: a call, a prompt, an answer, and the two stand-ins under one roof."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from core.campaign import ModelPlan
from core.models import Chat, ChatCall, Message, Prompt
from runtime.models.choice import open_chat
from tests.model_servers.wire import Server

PLAN = ModelPlan(timeout_s=5.0)


class Judgement(BaseModel):
    """The answer that most tests ask for."""

    model_config = ConfigDict(extra="forbid")
    score: float = Field(ge=-1, le=1)
    reason: str
    tags: list[str] = []


def call(text: str = "What do you think?", **changes: Any) -> ChatCall:
    messages = (Message(role="system", text="Be brief."), Message(role="user", text=text))
    told = {"model_id": "ollama:llama3.2", "max_tokens": 200, **changes}
    return ChatCall(messages=messages, **told)


def prompt(name: str = "voter/judgement", edition: str = "0123456789ab", user: str = "Judge this.") -> Prompt:
    return Prompt(name=name, edition=edition, system="Be brief.", user=user, max_tokens=200)


def repair(faults: Sequence[str]) -> str:
    return "Mend this: " + " ".join(faults)


def chat_of(server: Server, spec: str = "ollama:llama3.2", plan: ModelPlan = PLAN, key: str = "test-key") -> Chat:
    """The real path through LangChain to a stand-in."""
    environment = {"OLLAMA_HOST": server.url, "OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": key}
    return open_chat(spec, plan, Path(), environment)


def run(task: Callable[[], Any]) -> Any:
    return asyncio.run(task())


class Clock:
    """Time that goes by when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
