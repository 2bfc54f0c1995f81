"""Which model: `none`, `auto`, `ollama:NAME`, `openai:NAME`, `replay:FILE`, `module:factory` or `file.py:factory`.

Ollama is looked for at OLLAMA_HOST (default 127.0.0.1:11434); `openai:` is any server that speaks OpenAI's protocol, at
OPENAI_BASE_URL with OPENAI_API_KEY, and needs the package langchain-openai.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from core.campaign import ModelPlan
from core.errors import ConfigError, ModelError, ModelRefusedError, ModelSilentError, UnavailableError
from core.ids import content_hash
from core.models import Chat, ChatCall
from runtime.models.langchain_chat import LangChainChat
from runtime.models.recording import ReplayChat
from runtime.models.transport import CappedTransport

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

__all__ = ["Choice", "check_reachable", "check_spec", "choose", "ollama_models", "ollama_url", "open_chat"]

FORMS = "none, auto, ollama:NAME, openai:NAME, replay:FILE, module:factory or file.py:factory"
PREFERRED = ("llama3.2", "llama3.1", "qwen3", "qwen2.5", "gemma3", "mistral", "gemma2", "phi4")
"""Families that `auto` prefers, in this order; any other chat model comes after them."""
NO_CHAT = re.compile(r"embed|bge-|minilm|rerank|nomic", re.IGNORECASE)
LOOK_S = 2.0


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why in one line."""

    model: str
    reason: str


def check_spec(spec: str, where: str) -> None:
    """Raises ConfigError for a form that is not known."""
    if spec in ("none", "auto") or re.match(r"^(ollama|openai|replay):.+", spec):
        return
    if re.match(r"^[\w./\\ -]+:[A-Za-z_]\w*$", spec):
        return
    raise ConfigError(f"{spec!r} names no model", where=where, hint=f"write {FORMS}")


async def choose(spec: str) -> Choice:
    """`auto` as the model of a reachable Ollama, else none; every other spec as it stands."""
    if spec != "auto":
        return Choice(spec, "as asked")
    url = ollama_url()
    try:
        names = await ollama_models(url)
    except ModelError as error:
        return Choice("none", f"no Ollama at {url}: {error.what}")
    fitting = sorted((name for name in names if not NO_CHAT.search(name)), key=_rank)
    if not fitting:
        return Choice("none", f"the Ollama at {url} has no chat model; try `ollama pull llama3.2`")
    return Choice(f"ollama:{fitting[0]}", f"found at {url}")


def ollama_url() -> str:
    """OLLAMA_HOST in any of the forms that Ollama itself takes, as a URL."""
    host = os.environ.get("OLLAMA_HOST", "").strip() or "127.0.0.1:11434"
    url = host if "://" in host else f"http://{host}"
    url = url.replace("//0.0.0.0", "//127.0.0.1").rstrip("/")
    return url if re.search(r":\d+$", url) or url.startswith("https") else f"{url}:11434"


async def ollama_models(url: str) -> list[str]:
    """The names of the models there, without `:latest`.  Raises ModelSilentError."""
    try:
        async with httpx.AsyncClient(timeout=LOOK_S, transport=CappedTransport()) as client:
            told = (await client.get(f"{url}/api/tags")).raise_for_status().json()
        return [str(model["name"]).removesuffix(":latest") for model in told["models"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        what = "it does not answer" if isinstance(error, httpx.TransportError) else "it is no Ollama"
        raise ModelSilentError(what, where=url, hint="start it with `ollama serve`, or set OLLAMA_HOST") from error


async def check_reachable(spec: str, here: Path) -> None:
    """Whether a run with this model can begin: reached, and there.  Raises ModelError or ConfigError, with the fix."""
    provider, _, name = spec.partition(":")
    if provider == "ollama":
        url = ollama_url()
        names = await ollama_models(url)
        if name.removesuffix(":latest") not in names:
            there = ", ".join(names) or "no model at all"
            raise ModelRefusedError(
                f"the Ollama at {url} has no model {name}", where=f"it has {there}", hint=f"ollama pull {name}"
            )
    elif provider == "openai":
        _openai_package()
        if not os.environ.get("OPENAI_API_KEY") and not os.environ.get("OPENAI_BASE_URL"):
            raise ModelRefusedError(
                "there is no key for OpenAI", where="OPENAI_API_KEY", hint="set it, or OPENAI_BASE_URL"
            )
    else:
        open_chat(spec, ModelPlan(), here)


def open_chat(spec: str, plan: ModelPlan, here: Path) -> Chat:
    """The chat that `spec` names; `here` is the folder that files are relative to.  Raises ConfigError."""
    provider, _, name = spec.partition(":")
    if provider == "ollama":
        return _ollama(name, plan)
    if provider == "openai":
        return _openai(name, plan)
    if provider == "replay":
        return ReplayChat(here / Path(name).expanduser())
    factory = _factory(spec, here)

    def make() -> BaseChatModel:
        model: BaseChatModel = factory()
        return model

    return LangChainChat(make, where=spec)


def _ollama(name: str, plan: ModelPlan) -> Chat:
    url = ollama_url()

    def make() -> BaseChatModel:
        from langchain_ollama import ChatOllama

        return ChatOllama(
            model=name,
            base_url=url,
            async_client_kwargs={"timeout": plan.timeout_s, "transport": CappedTransport()},
        )

    def options(call: ChatCall) -> dict[str, Any]:
        asked: dict[str, Any] = {"options": {
            "num_ctx": plan.context_tokens,  # without it longer prompts are cut in silence
            "num_predict": call.max_tokens,
            "temperature": call.temperature,
            "seed": call.seed,
        }}  # fmt: skip
        return {**asked, "format": call.answer_schema} if call.answer_schema else asked

    hints = {0: "is it running?  `ollama serve`, or set OLLAMA_HOST", 404: f"ollama pull {name}"}
    return LangChainChat(make, where=url, options=options, hints=hints)


def _openai(name: str, plan: ModelPlan) -> Chat:
    _openai_package()
    where = os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")

    def make() -> BaseChatModel:
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        chat: BaseChatModel = ChatOpenAI(
            model=name,
            base_url=os.environ.get("OPENAI_BASE_URL"),
            api_key=SecretStr(os.environ.get("OPENAI_API_KEY", "none")),
            timeout=plan.timeout_s,
            max_retries=0,
            stream_usage=True,
            http_async_client=httpx.AsyncClient(timeout=plan.timeout_s, transport=CappedTransport()),
        )
        return chat

    def options(call: ChatCall) -> dict[str, Any]:
        asked: dict[str, Any] = {"max_tokens": call.max_tokens, "temperature": call.temperature, "seed": call.seed}
        if call.answer_schema:
            named = {"name": "answer", "schema": call.answer_schema}
            asked["response_format"] = {"type": "json_schema", "json_schema": named}
        return asked

    hints = {401: "set OPENAI_API_KEY", 403: "set OPENAI_API_KEY", 404: "check the model's name and OPENAI_BASE_URL"}
    return LangChainChat(make, where=where, options=options, hints=hints)


def _openai_package() -> None:
    if importlib.util.find_spec("langchain_openai") is None:
        raise UnavailableError(
            "openai: needs the package langchain-openai", where="--model", hint="pip install 'ratchet[openai]'"
        )


def _factory(spec: str, here: Path) -> Callable[[], Any]:
    """The factory of a LangChain chat model by import path or file.  Raises ConfigError."""
    place, _, attribute = spec.rpartition(":")
    try:
        module = _from_file((here / place).resolve()) if place.endswith(".py") else importlib.import_module(place)
    except Exception as error:  # whatever the user's module raises is told with its place
        raise ConfigError(
            f"cannot import {place!r}: {type(error).__name__}: {error}", where=f"model {spec}", hint=f"write {FORMS}"
        ) from error
    factory: Callable[[], Any] | None = getattr(module, attribute, None)
    if not callable(factory):
        raise ConfigError(f"{place} has no factory {attribute!r}", where=f"model {spec}")
    return factory


def _from_file(path: Path) -> Any:
    name = f"ratchet_model_{content_hash(str(path))[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _rank(name: str) -> tuple[int, str]:
    place = next((i for i, family in enumerate(PREFERRED) if name.startswith(family)), len(PREFERRED))
    return place, name
