"""Spans of calls by OpenTelemetry's conventions for generative models; nothing of what was said stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import ModelError
from core.models import Chat, ChatCall, ChatReply
from runtime.models.asking import current_prompt

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

__all__ = ["TracedChat"]


class TracedChat:
    """A span `chat MODEL` a call.  Without a tracer provider in the process it costs microseconds and goes nowhere.

    Source: OpenTelemetry semantic conventions, gen_ai.
    """

    def __init__(self, chat: Chat, role: str, seat: str = "", tracer: Tracer | None = None) -> None:
        from opentelemetry import trace

        self._chat = chat
        self._role = role
        self._seat = seat
        self._tracer = tracer or trace.get_tracer("ratchet")

    async def complete(self, call: ChatCall) -> ChatReply:
        """The chat's reply.  Raises what the chat raises; an end that is not the chat's (a time-out) is noted too."""
        provider, colon, name = call.model_id.partition(":")
        model = name if provider in ("ollama", "openai", "replay") and colon else call.model_id
        prompt = current_prompt.get()
        attributes: dict[str, str | int | float] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": provider if model == name else "langchain",
            "gen_ai.provider.name": provider if model == name else "langchain",  # its name in newer conventions
            "gen_ai.request.model": model,
            "gen_ai.request.max_tokens": call.max_tokens,
            "gen_ai.request.temperature": call.temperature,
            "gen_ai.request.seed": call.seed,
            "ratchet.role": self._role,
            "ratchet.seat": self._seat,
            "ratchet.prompt": prompt.name if prompt else "",
            "ratchet.prompt.edition": prompt.edition if prompt else "",
        }
        with self._tracer.start_as_current_span(
            f"chat {model}", attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                reply = await self._chat.complete(call)
            except BaseException as error:
                # the text of an error may quote the prompt, so the span has its kind only
                span.set_attribute("error.type", type(error).__name__)
                if isinstance(error, ModelError):
                    from opentelemetry.trace import Status, StatusCode

                    span.set_status(Status(StatusCode.ERROR))
                raise
            span.set_attribute("gen_ai.usage.input_tokens", reply.input_tokens)
            span.set_attribute("gen_ai.usage.output_tokens", reply.output_tokens)
            span.set_attribute("gen_ai.response.finish_reasons", [reply.finish])
            span.set_attribute("ratchet.source", reply.source)
            return reply
