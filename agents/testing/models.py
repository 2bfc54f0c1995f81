"""A language model that says what it is told to, for tests of roles: a real `core.models.Model`, without a provider."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from core.errors import ModelAnswerError, ModelRefusedError, nearest
from core.models import Check, Prompt, TextAnswer
from runtime.models.answers import parse_text

__all__ = ["ScriptedModel"]

A = TypeVar("A", bound=BaseModel)


class ScriptedModel:
    """Answers by the prompt's name: `ScriptedModel({"director/direction": {"mode": "explore", "reason": "…"}})`.

    An answer is plain data, JSON text, a pydantic object, or an exception, which is raised; or a call that returns one
    of these, `(prompt)` or `(prompt, faults)`, with the faults of its last try.  `"*"` answers every other prompt.
    An invalid answer is asked for again up to `repairs` times, and then is a ModelAnswerError, as with a real model.

    `asked` lists the prompts, `faults` what was sent back.
    """

    def __init__(self, answers: Mapping[str, Any], *, id: str = "scripted:test", repairs: int = 2) -> None:  # noqa: A002
        self._answers = dict(answers)
        self._id = id
        self._repairs = repairs
        self.asked: list[Prompt] = []
        self.faults: list[str] = []

    @property
    def id(self) -> str:
        return self._id

    async def ask(self, prompt: Prompt, answer: type[A], check: Check | None = None) -> A:
        """A valid answer.  Raises what it was told to, and ModelRefusedError for a prompt that nobody foresaw."""
        faults: list[str] = []
        for _ in range(self._repairs + 1):
            self.asked.append(prompt)
            said = self._said(prompt, faults)
            if isinstance(said, Exception):
                raise said
            value, faults = _read(said, answer)
            if value is not None:
                faults = list(check(value)) if check else []
                if not faults:
                    return value
            self.faults += faults
        raise ModelAnswerError(
            f"the answer of {self.id} to {prompt.name} stayed invalid: {' '.join(faults)[:500]}",
            where=f"prompt {prompt.name}, edition {prompt.edition}",
        )

    def _said(self, prompt: Prompt, faults: Sequence[str]) -> Any:
        if prompt.name not in self._answers and "*" not in self._answers:
            return ModelRefusedError(
                f"nobody told {self.id} what to say to {prompt.name}", hint=nearest(prompt.name, self._answers)
            )
        said = self._answers.get(prompt.name, self._answers.get("*"))
        if not callable(said):
            return said
        call: Callable[..., Any] = said
        return call(prompt, faults) if len(inspect.signature(call).parameters) > 1 else call(prompt)


def _read(said: Any, answer: type[A]) -> tuple[A | None, list[str]]:
    try:
        if isinstance(said, str) and issubclass(answer, TextAnswer):
            parsed = parse_text(said, answer)
            return parsed.value, list(parsed.faults)
        if isinstance(said, str):
            return answer.model_validate_json(said), []
        return answer.model_validate(said.model_dump() if isinstance(said, BaseModel) else said), []
    except ValidationError as error:
        told = error.errors(include_url=False)
        return None, [f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg']}" for one in told]
