"""A paid answer is never paid twice: the calls of language models as effects in the ledger."""

from __future__ import annotations

from core.ids import content_hash
from core.models import Chat, ChatCall, ChatReply
from memory.effects import Effect, Effects

__all__ = ["KIND", "PaidOnceChat", "key_of", "paid_before"]

KIND = "model_call"
"""Of the effects."""


class PaidOnceChat:
    """Answers from the ledger what was answered before; else asks `chat`, with the call written down first.

    A call that was cut off before its answer was stored is asked again: nobody can know whether it was paid.
    """

    def __init__(self, chat: Chat, effects: Effects, campaign_id: str) -> None:
        self._chat = chat
        self._effects = effects
        self._campaign_id = campaign_id

    async def complete(self, call: ChatCall) -> ChatReply:
        effect = self._effects.begin(
            key_of(self._campaign_id, call), KIND, self._campaign_id, call.model_dump(mode="json")
        )
        if effect.state == "finished":
            return ChatReply.model_validate_json(effect.result).model_copy(update={"source": "stored"})
        reply = await self._chat.complete(call)
        if not self._effects.finish(effect, reply.model_dump_json()):
            return await self.complete(call)  # somebody else was faster, and that answer counts
        return reply


def key_of(campaign_id: str, call: ChatCall) -> str:
    """The effect's key of a call."""
    return f"m-{content_hash(campaign_id, call.key)[:20]}"


def paid_before(effects: Effects, campaign_id: str) -> list[tuple[ChatCall, ChatReply | None]]:
    """Every call of the campaign with its answer; None where nobody knows whether there was one."""
    return [(ChatCall.model_validate(e.request), _reply(e)) for e in effects.of(campaign_id, KIND)]


def _reply(effect: Effect) -> ChatReply | None:
    return ChatReply.model_validate_json(effect.result) if effect.state == "finished" else None
