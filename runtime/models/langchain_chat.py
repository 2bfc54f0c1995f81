"""A LangChain chat model as a `Chat`: streamed, bounded in characters, its errors sorted into silent and refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from core.errors import ModelError, ModelRefusedError, ModelSilentError
from core.models import ChatCall, ChatReply
from runtime.models.meter import CHARACTERS_PER_TOKEN, tokens_of

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

__all__ = ["LangChainChat"]

CHARACTERS_OF_TOKEN = 12
"""More than a token has: an answer longer than so many a token is a flood."""
REFUSALS = {400: "a bad request", 401: "the key is wrong", 403: "it is not allowed", 404: "there is no such model"}


class LangChainChat:
    """`options` says how the calls of this provider are parametrised; `hints` what to try, by HTTP status.

    The model is made at the first call, in the event loop that uses it.
    """

    def __init__(
        self,
        make: Callable[[], BaseChatModel],
        *,
        where: str,
        options: Callable[[ChatCall], Mapping[str, Any]] | None = None,
        hints: Mapping[int, str] | None = None,
    ) -> None:
        self._make = make
        self._where = where
        self._options = options
        self._hints = hints or {}
        self._model: BaseChatModel | None = None

    async def complete(self, call: ChatCall) -> ChatReply:
        """The reply.  Raises ModelSilentError or ModelRefusedError, whatever the provider raises."""
        began = time.monotonic()
        limit = CHARACTERS_OF_TOKEN * call.max_tokens + 2000
        text, usage, finish = "", None, ""
        try:
            if self._model is None:
                self._model = self._make()
            stream = self._model.astream(_messages(call), **(self._options(call) if self._options else {}))
            async with aclosing(stream) as chunks:  # type: ignore[type-var]  # an async generator in all but name
                async for chunk in chunks:
                    text += _text(chunk)
                    usage = getattr(chunk, "usage_metadata", None) or usage
                    told = chunk.response_metadata
                    finish = told.get("done_reason") or told.get("finish_reason") or finish
                    if len(text) > limit:
                        text, finish = text[:limit], "length"
                        break
        except ModelError:
            raise
        except Exception as error:
            raise self._sorted(call, error) from error
        read = usage["input_tokens"] if usage else tokens_of(call)
        written = usage["output_tokens"] if usage else round(len(text) / CHARACTERS_PER_TOKEN)
        return ChatReply(
            text=text,
            input_tokens=max(0, read),
            output_tokens=max(0, written),
            duration_s=time.monotonic() - began,
            finish="length" if finish == "length" else "stop",
        )

    def _sorted(self, call: ChatCall, error: Exception) -> ModelError:
        """The provider's error as one of ours: refused where another try is of no use."""
        status = getattr(error, "status_code", None)
        what = f"{call.model_id}: {_first_line(error)}"
        if status in REFUSALS:
            hint = self._hints.get(status, "check the model's name and the key")
            return ModelRefusedError(f"{what} ({REFUSALS[status]})", where=self._where, hint=hint)
        response = getattr(error, "response", None)
        asked = _seconds(response.headers.get("retry-after")) if response is not None else None
        hint = self._hints.get(0, "is it running?")
        return ModelSilentError(what, where=self._where, hint=hint, retry_after_s=asked)


def _messages(call: ChatCall) -> list[BaseMessage]:
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return [kinds[message.role](message.text) for message in call.messages]


def _text(chunk: Any) -> str:
    """The text of a chunk; parts that are no text (thoughts, tool calls) are passed over."""
    content = chunk.content
    if isinstance(content, str):
        return content
    parts = (part if isinstance(part, str) else part.get("text", "") for part in content)
    return "".join(part for part in parts if isinstance(part, str))


def _first_line(error: Exception) -> str:
    text = str(error).strip().split("\n")[0][:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:  # a date
        return None
