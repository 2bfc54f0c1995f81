"""A model as roles see it: asked, read, checked, and asked again with what was wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from core.errors import ModelAnswerError, ModelError
from core.models import Chat, ChatCall, ChatReply, Check, Message, Prompt
from runtime.models.answers import parse_answer

__all__ = ["Asked", "AskingModel"]

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True)
class Asked:
    """One call and what came of it; `repair` is 0 for the first call of an answer."""

    prompt: Prompt
    call: ChatCall
    reply: ChatReply | None
    error: ModelError | None
    repair: int


@dataclass(frozen=True)
class AskingModel:
    """`core.models.Model` over a chat.

    `repair` makes the message that sends faults back; `told` hears of every call.
    """

    id: str
    chat: Chat
    repair: Callable[[Sequence[str]], str]
    temperature: float = 0.0
    seed: int = 0
    repairs: int = 2
    told: Callable[[Asked], None] | None = None

    async def ask(self, prompt: Prompt, answer: type[A], check: Check | None = None) -> A:
        """A valid answer.  Raises ModelAnswerError when no repair helped, and what the chat raises."""
        messages = [Message(role="system", text=prompt.system), Message(role="user", text=prompt.user)]
        faults: Sequence[str] = ()
        for number in range(self.repairs + 1):
            call = ChatCall(
                model_id=self.id,
                messages=tuple(messages),
                answer_schema=answer.model_json_schema(),
                max_tokens=prompt.max_tokens,
                temperature=self.temperature,
                seed=self.seed,
            )
            reply = await self._complete(prompt, call, number)
            parsed = parse_answer(reply.text, answer)
            if parsed.value is not None:
                faults = list(check(parsed.value)) if check else []
                if not faults:
                    return parsed.value
            else:
                faults = parsed.faults
            messages += [Message(role="assistant", text=reply.text), Message(role="user", text=self.repair(faults))]
        raise ModelAnswerError(
            f"the answer of {self.id} to {prompt.name} stayed invalid: {faults[0]}",
            where=f"{prompt.name} {prompt.edition}",
            hint="try a larger model, or a lower temperature",
        )

    async def _complete(self, prompt: Prompt, call: ChatCall, repair: int) -> ChatReply:
        try:
            reply = await self.chat.complete(call)
        except ModelError as error:
            self._tell(Asked(prompt, call, None, error, repair))
            raise
        self._tell(Asked(prompt, call, reply, None, repair))
        return reply

    def _tell(self, asked: Asked) -> None:
        if self.told is not None:
            self.told(asked)
