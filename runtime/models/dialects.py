"""How the parameters of a call are written for each kind of LangChain model.

A form is how the answer's schema is told; forms stand from strict to loose, and a server that refuses one is asked in
the next.  In every form the prompt itself describes the answer, and what comes is validated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from core.models import ChatCall

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

__all__ = ["Dialect", "dialect_of"]

OLLAMA_OPTIONS = (
    "mirostat", "mirostat_eta", "mirostat_tau", "num_ctx", "num_gpu", "num_thread", "repeat_last_n", "repeat_penalty",
    "tfs_z", "top_k", "top_p",
)  # fmt: skip


class Dialect(Protocol):
    @property
    def forms(self) -> tuple[str, ...]:
        """Ways to tell the schema of an answer, from strict to loose."""
        ...

    def arguments(self, model: BaseChatModel, call: ChatCall, form: str) -> dict[str, Any]:
        """The keyword arguments of the model's call."""
        ...

    def ended(self, told: dict[str, Any]) -> bool:
        """Whether the metadata of an answer says that it is whole."""
        ...


@dataclass(frozen=True)
class OllamaDialect:
    """`options` replace the model's own, so its other options are told again."""

    context_tokens: int
    forms: tuple[str, ...] = ("schema", "json", "text")

    def arguments(self, model: BaseChatModel, call: ChatCall, form: str) -> dict[str, Any]:
        own = {name: getattr(model, name, None) for name in OLLAMA_OPTIONS}
        options = {
            "num_ctx": self.context_tokens,  # Ollama's default is small, and longer prompts are cut in silence
            **{name: value for name, value in own.items() if value is not None},
            "num_predict": call.max_tokens,
            "temperature": call.temperature,
            "seed": call.seed,
        }
        told = {"schema": call.answer_schema, "json": "json"}.get(form) if call.answer_schema else None
        return {"options": options, "format": told} if told else {"options": options}

    def ended(self, told: dict[str, Any]) -> bool:
        return bool(told.get("done_reason") or told.get("done"))


@dataclass(frozen=True)
class OpenAIDialect:
    """The answer's form goes through `extra_body`: as `response_format` the client would parse the stream itself."""

    compatible: bool = False
    """Another server than OpenAI's: many know `max_tokens` only, which OpenAI's newer models refuse."""
    forms: tuple[str, ...] = ("schema", "json", "text")

    def arguments(self, model: BaseChatModel, call: ChatCall, form: str) -> dict[str, Any]:  # noqa: ARG002
        body: dict[str, Any] = {"max_tokens": call.max_tokens} if self.compatible else {}
        if call.answer_schema and form == "schema":
            body["response_format"] = {
                "type": "json_schema", "json_schema": {"name": "answer", "schema": call.answer_schema}
            }  # fmt: skip
        elif call.answer_schema and form == "json":
            body["response_format"] = {"type": "json_object"}
        told: dict[str, Any] = {"temperature": call.temperature, "seed": call.seed}
        if not self.compatible:
            told["max_tokens"] = call.max_tokens
        return {**told, "extra_body": body} if body else told

    def ended(self, told: dict[str, Any]) -> bool:
        return bool(told.get("finish_reason"))


@dataclass(frozen=True)
class PlainDialect:
    """Any other model: the schema as the one tool it may call, where it can call tools."""

    forms: tuple[str, ...] = ("tool", "text")

    def arguments(self, model: BaseChatModel, call: ChatCall, form: str) -> dict[str, Any]:
        if not call.answer_schema or form != "tool":
            return {}
        tool = {"title": "answer", "description": "Give the answer.", **call.answer_schema}
        try:
            bound = model.bind_tools([{**tool, "title": "answer"}], tool_choice="any")
        except NotImplementedError:  # it has no tools: the prompt alone tells the schema
            return {}
        return dict(getattr(bound, "kwargs", {}))

    def ended(self, told: dict[str, Any]) -> bool:  # noqa: ARG002
        return True  # nobody says how this provider ends


def dialect_of(model: BaseChatModel, context_tokens: int) -> Dialect:
    """By the classes that the model descends from, so that a subclass of a user speaks like its parent."""
    ancestors = {kind.__name__ for kind in type(model).__mro__}
    if "ChatOllama" in ancestors:
        return OllamaDialect(context_tokens)
    if "BaseChatOpenAI" in ancestors:
        base = str(getattr(model, "openai_api_base", None) or "")
        return OpenAIDialect(compatible=bool(base) and "api.openai.com" not in base)
    return PlainDialect()
