"""A model as roles see it: asked, read, checked, and asked again with what was wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from core.errors import ModelAnswerError, ModelError
from core.models import Chat, ChatCall, ChatReply, Check, Message, Prompt, TextAnswer
from runtime.models.answers import parse_answer, parse_text

__all__ = ["Asked", "AskingModel", "current_prompt"]

A = TypeVar("A", bound=BaseModel)

MOST_REPEATED = 8000
"""Characters of a wrong answer that the model is shown again."""

current_prompt: ContextVar[Prompt | None] = ContextVar("current_prompt", default=None)
"""What the call in flight is about, for spans and recordings: a ChatCall has the text, but not the prompt's name."""


@dataclass(frozen=True)
class Asked:
    """One call and what came of it; `repair` is 0 for the first call of an answer.

    `faults` are what was wrong with the reply's text, empty where it was taken.  Where no repair is left, `error` says
    that the question stays without an answer.
    """

    prompt: Prompt
    call: ChatCall
    reply: ChatReply | None
    error: ModelError | None
    repair: int
    faults: tuple[str, ...] = ()


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
        """A valid answer.  Raises ModelAnswerError when no repair helped, and what the chat raises.

        Each repair shows the model its last answer and the faults of it only, so that a call does not grow.
        """
        both = (Message(role="system", text=prompt.system), Message(role="user", text=prompt.user))
        asked = tuple(message for message in both if message.text)
        repair: tuple[Message, ...] = ()
        number = 0
        while True:
            call = ChatCall(
                model_id=self.id,
                messages=(*asked, *repair),
                answer_schema=_schema(answer),
                max_tokens=prompt.max_tokens,
                temperature=self.temperature,
                seed=self.seed,
            )
            reply = await self._complete(prompt, call, number)
            parse = parse_text if issubclass(answer, TextAnswer) else parse_answer
            parsed = parse(reply.text, answer, cut=reply.finish == "length")
            faults = parsed.faults
            if parsed.value is not None:
                faults = tuple(check(parsed.value)) if check else ()
            taken = None if faults else parsed.value
            error = self._invalid(prompt, faults) if taken is None and number == self.repairs else None
            self._tell(Asked(prompt, call, reply, error, number, faults))
            if taken is not None:
                return taken
            if error is not None:
                raise error
            number += 1
            said = reply.text[:MOST_REPEATED].strip() or "…"  # some servers refuse an empty message
            repair = (Message(role="assistant", text=said), Message(role="user", text=self.repair(faults)))

    def _invalid(self, prompt: Prompt, faults: Sequence[str]) -> ModelAnswerError:
        return ModelAnswerError(
            f"the answer of {self.id} to {prompt.name} stayed invalid: {' '.join(faults)[:500]}",
            where=f"prompt {prompt.name}, edition {prompt.edition}",
            hint="try a larger model, or a lower temperature",
        )

    async def _complete(self, prompt: Prompt, call: ChatCall, repair: int) -> ChatReply:
        token = current_prompt.set(prompt)
        try:
            return await self.chat.complete(call)
        except ModelError as error:
            self._tell(Asked(prompt, call, None, error, repair))
            raise
        finally:
            current_prompt.reset(token)

    def _tell(self, asked: Asked) -> None:
        if self.told is not None:
            self.told(asked)


_schemas: dict[type[BaseModel], dict[str, Any]] = {}


def _schema(answer: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of an answer, {} for free text; pydantic makes it anew each time, which takes a millisecond."""
    if issubclass(answer, TextAnswer):
        return {}
    if answer not in _schemas:
        _schemas[answer] = answer.model_json_schema()
    return _schemas[answer]
