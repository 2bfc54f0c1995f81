"""What a role asks a language model, and what it gets: the protocol, without any provider.

A role renders a prompt file into a `Prompt`, names the form of the answer as a pydantic class, and may add a check of
its own.  It gets a validated answer, or one of the `ModelError`s; on any of them its algorithm takes over and the role
says so.  `Chat` is one paid call below that: messages in, text out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, Field

from core.ids import content_hash
from core.records import Record

__all__ = ["Chat", "ChatCall", "ChatReply", "Check", "Message", "Model", "Prompt", "TextAnswer"]

A = TypeVar("A", bound=BaseModel)

Check = Callable[[Any], Sequence[str]]
"""Faults of an answer that its schema cannot see, each as a sentence that the model can act on; empty: none."""


class Prompt(Record):
    """A rendered prompt.  `edition` is that of its file: the first 12 characters of its content hash."""

    name: str = Field(description="role and file, such as `director/direction`")
    edition: str
    system: str
    user: str
    max_tokens: int = Field(default=1024, gt=0, description="of the answer")


class TextAnswer(Record):
    """The answer to a prompt that asks for no JSON: its text as it stands, thoughts left out.  Its check reads it."""

    text: str


class Message(Record):
    role: Literal["system", "user", "assistant"]
    text: str


class ChatCall(Record):
    """One call of a chat model.  `answer_schema` is the JSON schema of the answer, empty for free text."""

    model_id: str
    messages: tuple[Message, ...]
    answer_schema: dict[str, Any] = Field(default={})
    max_tokens: int = 1024
    temperature: float = 0.0
    seed: int = 0

    @property
    def key(self) -> str:
        """The hash of everything that is asked: the same call has the same key."""
        return content_hash(self.model_dump(mode="json"))


class ChatReply(Record):
    """What came back.  Token counts are the provider's, or estimated where it gives none."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    duration_s: float = 0.0
    attempts: int = 1
    finish: Literal["stop", "length"] = "stop"
    source: Literal["model", "replay", "stored"] = "model"


class Chat(Protocol):
    """Somebody who answers calls: a provider, or a guard, a meter, a recording around another one."""

    async def complete(self, call: ChatCall) -> ChatReply:
        """The reply.  Raises one of the ModelErrors."""
        ...


class Model(Protocol):
    """A language model as a role sees it."""

    @property
    def id(self) -> str:
        """Such as `ollama:llama3.2`."""
        ...

    async def ask(self, prompt: Prompt, answer: type[A], check: Check | None = None) -> A:
        """A valid answer: in the form of `answer`, without faults by `check`, after a bounded number of repairs.

        Raises ModelAnswerError when no repair helped, and the other ModelErrors when there is no answer at all.
        """
        ...
