"""Spans of calls by OpenTelemetry's conventions for generative models; nothing of what was said stands in them."""

from __future__ import annotations

from core.errors import ModelError
from core.models import Chat, ChatCall, ChatReply

__all__ = ["TracedChat"]


class TracedChat:
    """A span `chat MODEL` a call.  Without a tracer provider in the process it costs microseconds and goes nowhere.

    Source: OpenTelemetry semantic conventions, gen_ai.
    """

    def __init__(self, chat: Chat, role: str, seat: str, tracer: object | None = None) -> None:
        from opentelemetry import trace

        self._chat = chat
        self._role = role
        self._seat = seat
        self._tracer = tracer if isinstance(tracer, trace.Tracer) else trace.get_tracer("ratchet")

    async def complete(self, call: ChatCall) -> ChatReply:
        provider, _, name = call.model_id.partition(":")
        attributes: dict[str, str | int | float] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": name or provider,
            "gen_ai.request.max_tokens": call.max_tokens,
            "gen_ai.request.temperature": call.temperature,
            "ratchet.role": self._role,
            "ratchet.seat": self._seat,
        }
        with self._tracer.start_as_current_span(f"chat {name or provider}", attributes=attributes) as span:
            try:
                reply = await self._chat.complete(call)
            except ModelError as error:
                span.set_attribute("error.type", type(error).__name__)
                raise
            span.set_attribute("gen_ai.usage.input_tokens", reply.input_tokens)
            span.set_attribute("gen_ai.usage.output_tokens", reply.output_tokens)
            span.set_attribute("gen_ai.response.finish_reasons", [reply.finish])
            span.set_attribute("ratchet.source", reply.source)
            return reply
