"""Which model: `none`, `auto`, `ollama:NAME`, `openai:NAME`, `replay:FILE`, `module:factory` or `file.py:factory`.

Ollama is looked for at OLLAMA_HOST (default 127.0.0.1:11434); `openai:` is any server that speaks OpenAI's protocol, at
OPENAI_BASE_URL with OPENAI_API_KEY, and needs the package langchain-openai.  A factory returns a LangChain chat model;
it is called with `temperature=`, where it takes that.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from core.campaign import ModelPlan
from core.errors import ConfigError, ModelError, ModelRefusedError, UnavailableError
from core.ids import content_hash
from core.models import Chat
from runtime.models.ollama_api import OllamaApi, ollama_url
from runtime.models.openai_api import OPENAI_URL, check_openai, http_of_openai, openai_url

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

__all__ = [
    "Choice",
    "Spec",
    "check_reachable",
    "check_spec",
    "choose",
    "ollama_models",
    "ollama_url",
    "open_chat",
    "parse_spec",
]

FORMS = "none, auto, ollama:NAME, openai:NAME, replay:FILE, module:factory or file.py:factory"
PREFERRED = ("llama3.2", "llama3.1", "qwen3", "qwen2.5", "gemma3", "mistral", "gemma2", "phi4")
"""Families that `auto` takes first, in this order; after them the largest of at most 9 billion parameters, then the
smallest of the rest."""
COMFORTABLE_B = 9.0
NO_CHAT = re.compile(r"embed|bge-|minilm|rerank|^all-|-e5-|clip", re.IGNORECASE)
NO_CHAT_FAMILIES = ("bert", "nomic-bert", "clip")
CONNECT_S = 5.0


@dataclass(frozen=True)
class Spec:
    """A model by name.  `name` is the model's, the file of a replay, or the module (or file) of a factory."""

    kind: Literal["none", "auto", "ollama", "openai", "replay", "factory"]
    name: str = ""
    factory: str = ""

    def __str__(self) -> str:
        if self.kind == "factory":
            return f"{self.name}:{self.factory}"
        return f"{self.kind}:{self.name}" if self.name else self.kind


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why in one line."""

    model: str
    reason: str


def parse_spec(text: str, where: str = "--model") -> Spec:
    """The model that `text` names.  Raises ConfigError for a form that is not known."""
    kind, colon, name = text.strip().partition(":")
    name = name.strip()
    if not colon and kind in ("none", "auto"):
        return Spec(kind)  # type: ignore[arg-type]
    if kind in ("ollama", "openai", "replay") and name and name.isprintable():
        return Spec(kind, name)  # type: ignore[arg-type]
    place, _, factory = text.strip().rpartition(":")
    dotted = all(part.isidentifier() for part in place.split("."))
    known = kind in ("none", "auto", "ollama", "openai", "replay")
    if factory.isidentifier() and not known and (dotted or place.endswith(".py")):
        return Spec("factory", place, factory)
    raise ConfigError(f"{text!r} names no model", where=where, hint=f"write {FORMS}")


def check_spec(spec: str, where: str) -> None:
    """Raises ConfigError for a form that is not known."""
    parse_spec(spec, where)


async def ollama_models(url: str) -> list[str]:
    """The names of the models of the Ollama at `url`, without `:latest`.  Raises ModelSilentError."""
    return [str(one["name"]) for one in await OllamaApi(url).models()]


async def choose(spec: str, environment: Mapping[str, str] = os.environ) -> Choice:
    """`auto` as the model of a reachable Ollama, else none, in about two seconds; every other spec as it stands."""
    if parse_spec(spec).kind != "auto":
        return Choice(spec, "as asked")
    server = OllamaApi(ollama_url(environment))
    shown = _shown(server.url)
    try:
        fitting = sorted((one for one in await server.models() if _chats(one)), key=_rank)
        for one in fitting:
            able = (await server.show(one["name"])).get("capabilities")
            if not isinstance(able, list) or "completion" in able:
                return Choice(f"ollama:{one['name']}", f"found at {shown}")
    except ModelError as error:
        return Choice("none", f"no Ollama at {shown} ({error.what})")
    return Choice("none", f"the Ollama at {shown} has no chat model; try `ollama pull llama3.2`")


def open_chat(spec: str, plan: ModelPlan, here: Path, environment: Mapping[str, str] = os.environ) -> Chat:
    """The chat that `spec` names, without guard, meter or recording; `here` is what files are relative to.

    Nothing is connected yet, but the provider's package is imported, which takes seconds that no call's time-out should
    count.  Raises ConfigError (for `none` and `auto`, too: `choose` comes first), and
    UnavailableError where a package is missing.
    """
    from runtime.models.langchain_chat import LangChainChat
    from runtime.models.recording import ReplayChat

    told = parse_spec(spec, "model")
    if told.kind == "ollama":
        return _ollama(told.name, plan, environment)
    if told.kind == "openai":
        return _openai(told.name, plan, environment)
    if told.kind == "replay":
        return ReplayChat(here / Path(told.name).expanduser())
    if told.kind == "factory":
        return LangChainChat(_factory(told, here), where=spec, context_tokens=0)
    raise ConfigError(f"{spec!r} is no model to ask", where="model", hint=f"write {FORMS}")


async def check_reachable(spec: str, here: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Whether a run with this model can begin: reached, and there.  Raises ModelError or ConfigError, with the fix."""
    told = parse_spec(spec, "model")
    if told.kind == "ollama":
        server = OllamaApi(ollama_url(environment))
        names = [one["name"] for one in await server.models()]
        if told.name.removesuffix(":latest") not in names:
            there = ", ".join(names[:20]) or "no model at all"
            raise ModelRefusedError(
                f"the Ollama at {_shown(server.url)} has no model {told.name}",
                where=f"it has {there}",
                hint=f"ollama pull {told.name}",
            )
    elif told.kind not in ("none", "auto"):
        open_chat(spec, ModelPlan(), here, environment)
        if told.kind == "openai":
            url = openai_url(environment)
            await check_openai(url, environment.get("OPENAI_API_KEY") or "none", where=_shown(url))


# ----------------------------------------------------------------------- parts


def _ollama(name: str, plan: ModelPlan, environment: Mapping[str, str]) -> Chat:
    import httpx
    from langchain_ollama import ChatOllama

    from runtime.models.langchain_chat import LangChainChat
    from runtime.models.transport import bounding

    url = ollama_url(environment)

    def make(temperature: float) -> BaseChatModel:
        return ChatOllama(
            model=name,
            base_url=url,
            temperature=temperature,
            num_ctx=plan.context_tokens,
            client_kwargs={
                "timeout": httpx.Timeout(plan.timeout_s, connect=min(CONNECT_S, plan.timeout_s)),
                "headers": {"accept-encoding": "identity"},
                "follow_redirects": False,
                "verify": url.startswith("https"),  # reading certificates takes a quarter of a second
                "limits": httpx.Limits(max_connections=None),  # how many are in flight is the guard's business
            },
            async_client_kwargs={"event_hooks": {"response": [bounding(httpx.AsyncByteStream)]}},
        )

    hints = {0: "start it with `ollama serve`, or set OLLAMA_HOST", 404: f"ollama pull {name}"}
    return LangChainChat(make, where=_shown(url), hints=hints, context_tokens=plan.context_tokens)


def _openai(name: str, plan: ModelPlan, environment: Mapping[str, str]) -> Chat:
    from runtime.models.langchain_chat import LangChainChat

    if importlib.util.find_spec("langchain_openai") is None:
        raise UnavailableError(
            "openai: needs the package langchain-openai", where="model", hint="pip install 'ratchet[openai]'"
        )
    url = openai_url(environment)
    key = environment.get("OPENAI_API_KEY") or ""
    if not key and url == OPENAI_URL:
        raise ConfigError(
            "there is no key for OpenAI",
            where="OPENAI_API_KEY",
            hint="set it, or OPENAI_BASE_URL for your own server",
        )

    import openai
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    from runtime.models.transport import bounding

    http = http_of_openai()

    def make(temperature: float) -> BaseChatModel:
        model: BaseChatModel = ChatOpenAI(
            model=name,
            base_url=url,
            api_key=SecretStr(key or "none"),
            temperature=temperature,
            timeout=plan.timeout_s,
            max_retries=0,  # the guard repeats, by one rule for every provider
            stream_usage=True,
            stream_chunk_timeout=None,
            http_async_client=openai.DefaultAsyncHttpxClient(
                timeout=http.Timeout(plan.timeout_s, connect=min(CONNECT_S, plan.timeout_s)),
                headers={"accept-encoding": "identity"},
                follow_redirects=False,
                event_hooks={"response": [bounding(http.AsyncByteStream)]},
            ),
        )
        return model

    hints = {
        0: "check OPENAI_BASE_URL",
        401: "set OPENAI_API_KEY",
        403: "set OPENAI_API_KEY to one that may use this model",
        404: "check the model's name, and OPENAI_BASE_URL",
    }
    return LangChainChat(make, where=_shown(url), hints=hints, context_tokens=0)


def _factory(spec: Spec, here: Path) -> Callable[[float], BaseChatModel]:
    """The factory of a LangChain chat model by import path or file.  Raises ConfigError."""
    try:
        is_file = spec.name.endswith(".py")
        module = _from_file((here / spec.name).resolve()) if is_file else importlib.import_module(spec.name)
    except Exception as error:  # whatever the user's module raises is told with its place
        raise ConfigError(
            f"cannot import {spec.name!r}: {type(error).__name__}: {error}",
            where=f"model {spec}",
            hint=f"write {FORMS}",
        ) from error
    factory: Callable[..., Any] | None = getattr(module, spec.factory, None)
    if not callable(factory):
        raise ConfigError(f"{spec.name} has no factory {spec.factory!r}", where=f"model {spec}")
    try:
        taken = inspect.signature(factory).parameters.values()
        warm = any(one.name == "temperature" or one.kind is one.VAR_KEYWORD for one in taken)
    except (TypeError, ValueError):  # a callable written in C
        warm = False

    def make(temperature: float) -> BaseChatModel:
        from langchain_core.language_models import BaseChatModel

        model: object = factory(temperature=temperature) if warm else factory()
        if not isinstance(model, BaseChatModel):
            raise ModelRefusedError(
                f"the factory made a {type(model).__name__}, not a LangChain chat model",
                where=f"model {spec}",
                hint="return a BaseChatModel",
            )
        return model

    return make


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


def _chats(model: Mapping[str, Any]) -> bool:
    details = model.get("details")
    families = [details.get("family"), *(details.get("families") or [])] if isinstance(details, dict) else []
    return not NO_CHAT.search(model["name"]) and not any(one in NO_CHAT_FAMILIES for one in families[:1])


def _rank(model: Mapping[str, Any]) -> tuple[int, bool, float, str]:
    name = model["name"]
    place = next((i for i, family in enumerate(PREFERRED) if name.startswith(family)), len(PREFERRED))
    size = _billions(model)
    return place, size > COMFORTABLE_B, -size if size <= COMFORTABLE_B else size, name


def _billions(model: Mapping[str, Any]) -> float:
    """Parameters in billions; 0 where it is not told."""
    details = model.get("details")
    told = str(details.get("parameter_size", "")) if isinstance(details, dict) else ""
    found = re.fullmatch(r"([\d.]{1,12})\s*([BM])", told, re.IGNORECASE)
    if not found or found[1].count(".") > 1 or not found[1].strip("."):
        return 0.0
    return float(found[1]) * (1.0 if found[2].upper() == "B" else 1e-3)


def _shown(url: str) -> str:
    """The address without the account that may stand in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
