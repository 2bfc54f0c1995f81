"""A LangChain chat model as a `Chat`: streamed, bounded in characters, its errors sorted into silent and refused."""

from __future__ import annotations

import asyncio
import json
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from core.errors import ModelError, ModelRefusedError
from core.models import ChatCall, ChatReply
from runtime.models.dialects import Dialect, PlainDialect, dialect_of
from runtime.models.faults import fault_of
from runtime.models.tokens import estimated_tokens, input_tokens
from runtime.models.uncertain import UncertainError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

__all__ = ["LangChainChat"]

CHARACTERS_OF_TOKEN = 16
"""More than a token has in the mean: an answer longer than so many a token is a flood."""
LENGTH = ("length", "max_tokens", "MAX_TOKENS", "max_output_tokens")
FORM_WORDS = ("format", "schema", "grammar", "tool", "json")


class LangChainChat:
    """`make` gives the model for a temperature; it is called once per event loop, as HTTP connections belong to one.

    `where` and `hints` (by HTTP status, 0: not reached) go into errors.  `context_tokens` 0: nobody knows.
    """

    def __init__(
        self,
        make: Callable[[float], BaseChatModel],
        *,
        where: str,
        hints: Mapping[int, str] | None = None,
        context_tokens: int = 0,
    ) -> None:
        self._make = make
        self._where = where
        self._hints = hints or {}
        self._context_tokens = context_tokens
        self._form = 0
        self._models: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, BaseChatModel]] = (
            weakref.WeakKeyDictionary()
        )

    async def complete(self, call: ChatCall) -> ChatReply:
        """The reply.  Raises ModelSilentError or ModelRefusedError, whatever the provider raises.

        Where the server does not take the form in which the answer's schema was told, it is asked in a looser one,
        and from then on in that.
        """
        self._fits(call)
        model, dialect = self._model(call)
        while True:
            form = min(self._form, len(dialect.forms) - 1)
            try:
                return await self._stream(model, dialect, call, dialect.forms[form])
            except ModelRefusedError as error:
                last = form == len(dialect.forms) - 1
                if last or not call.answer_schema or not any(word in error.what.lower() for word in FORM_WORDS):
                    raise
                self._form = max(self._form, form + 1)

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        for model in self._models.pop(asyncio.get_running_loop(), {}).values():
            for name in ("_async_client", "root_async_client"):
                client = getattr(model, name, None)
                if client is not None:
                    await client.close()

    # ------------------------------------------------------------------- parts

    def _fits(self, call: ChatCall) -> None:
        needed = input_tokens(call) + call.max_tokens
        if self._context_tokens and needed > self._context_tokens:
            raise ModelRefusedError(
                f"the prompt and its answer need about {needed:,} tokens, the context of {call.model_id} has "
                f"{self._context_tokens:,}: it would be cut in silence",
                where=self._where,
                hint="raise model.context_tokens, if the model and the memory allow it",
            )

    def _model(self, call: ChatCall) -> tuple[BaseChatModel, Dialect]:
        try:
            models = self._models.setdefault(asyncio.get_running_loop(), {})
            if call.temperature not in models:
                models[call.temperature] = self._make(call.temperature)
            model = models[call.temperature]
            return model, dialect_of(model, self._context_tokens)
        except ModelError:
            raise
        except Exception as error:  # whatever a provider's package or a user's factory raises
            raise ModelRefusedError(
                f"{call.model_id} cannot be made: {type(error).__name__}: {str(error)[:200]}", where=self._where
            ) from error

    async def _stream(self, model: BaseChatModel, dialect: Dialect, call: ChatCall, form: str) -> ChatReply:
        began = time.monotonic()
        limit = CHARACTERS_OF_TOKEN * call.max_tokens + 2000
        seen = _Seen()
        try:
            stream = model.astream(_messages(call), **dialect.arguments(model, call, form))
            async with aclosing(stream) as chunks:  # type: ignore[type-var]  # an async generator in all but name
                async for chunk in chunks:
                    seen.add(chunk)
                    if seen.size > limit:
                        seen.flooded = True
                        break
        except Exception as error:  # every client has errors of its own
            own = isinstance(dialect, PlainDialect)
            raise fault_of(error, call.model_id, where=self._where, hints=self._hints, own_code=own) from error
        if not seen.flooded and not dialect.ended(seen.told):
            raise UncertainError(
                f"the answer of {call.model_id} broke off after {seen.size:,} characters",
                where=self._where,
                hint="look into the log of the server",
            )
        return seen.reply(call, time.monotonic() - began, limit)


class _Seen:
    """What came of a stream so far."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.calls: dict[Any, list[str]] = {}
        self.told: dict[str, Any] = {}
        self.size = 0
        self.flooded = False
        self.read = 0
        self.written = 0

    def add(self, chunk: Any) -> None:
        text = _text(chunk.content)
        self.texts.append(text)
        self.size += len(text)
        for part in _tool_texts(chunk):
            self.calls.setdefault(part[0], []).append(part[1])
            self.size += len(part[1])
        self.told.update(chunk.response_metadata or {})
        usage = getattr(chunk, "usage_metadata", None)
        if usage:
            self.read += max(0, usage["input_tokens"])
            self.written += max(0, usage["output_tokens"])

    def reply(self, call: ChatCall, duration_s: float, limit: int) -> ChatReply:
        text = "".join(self.texts)
        if self.calls:  # the answer came as the arguments of the one tool
            text = "".join(next(iter(self.calls.values())))
        reasons = [self.told.get(name) for name in ("done_reason", "finish_reason", "stop_reason")]
        text = text[:limit].encode(errors="replace").decode()  # half of a surrogate pair cannot be written anywhere
        return ChatReply(
            text=text,
            input_tokens=self.read or input_tokens(call),
            output_tokens=self.written or estimated_tokens(text),
            duration_s=duration_s,
            finish="length" if self.flooded or any(reason in LENGTH for reason in reasons) else "stop",
        )


def _tool_texts(chunk: Any) -> list[tuple[Any, str]]:
    """Index and text of each part of a tool's arguments; a whole message has them as objects."""
    parts = getattr(chunk, "tool_call_chunks", None)
    if parts:
        return [(part.get("index"), part.get("args") or "") for part in parts]
    calls = getattr(chunk, "tool_calls", None) or []
    return [(index, json.dumps(one["args"])) for index, one in enumerate(calls)]


def _messages(call: ChatCall) -> list[BaseMessage]:
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return [kinds[message.role](message.text) for message in call.messages]


def _text(content: Any) -> str:
    """The text of a chunk; parts that are no text (thoughts, pictures) are passed over."""
    if isinstance(content, str):
        return content
    parts = (part if isinstance(part, str) else part.get("text", "") for part in content)
    return "".join(part for part in parts if isinstance(part, str))
