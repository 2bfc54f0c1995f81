"""What an Ollama server has: its models, and what is known of each.  Bounded in time and bytes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from core.errors import ConfigError, ModelRefusedError, ModelSilentError
from runtime.models.transport import bounding

__all__ = ["OllamaApi", "ollama_url"]

LOOK_S = 2.0


def ollama_url(environment: Mapping[str, str] = os.environ) -> str:
    """OLLAMA_HOST in any of the forms that Ollama itself takes, as a URL.  Raises ConfigError."""
    told = environment.get("OLLAMA_HOST", "").strip().strip("\"'")
    host = told or "127.0.0.1:11434"
    url = host if "://" in host else f"http://{host}"
    try:
        parts = urlsplit(url)
        port = parts.port
        if parts.scheme not in ("http", "https"):
            raise ValueError(f"no such scheme {parts.scheme!r}")
    except ValueError as error:
        raise ConfigError(
            f"{told!r} is no address of an Ollama: {error}", where="OLLAMA_HOST", hint="such as http://127.0.0.1:11434"
        ) from error
    if port is None:
        default = {"http": 80, "https": 443} if "://" in host else {"http": 11434}
        port = default[parts.scheme]
    name = parts.hostname or "127.0.0.1"
    name = "127.0.0.1" if name in ("0.0.0.0", "::") else f"[{name}]" if ":" in name else name  # noqa: S104  # not bound
    account = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{account}{name}:{port}{parts.path.rstrip('/')}"


class OllamaApi:
    """The questions to a server that are no chat.  Each raises ModelSilentError when nothing useful comes in time."""

    def __init__(self, url: str, *, timeout_s: float = LOOK_S) -> None:
        self.url = url
        self._timeout_s = timeout_s

    async def version(self) -> str:
        return str((await self._ask("GET", "/api/version")).get("version", ""))

    async def models(self) -> list[dict[str, Any]]:
        """What is there, each with `name` (without `:latest`) and `details`."""
        told = (await self._ask("GET", "/api/tags")).get("models")
        if not isinstance(told, list):
            raise self._no_ollama("it lists no models")
        return [
            {**one, "name": str(one["name"]).removesuffix(":latest")}
            for one in told
            if isinstance(one, dict) and one.get("name")
        ]

    async def show(self, name: str) -> dict[str, Any]:
        """What is known of a model: `capabilities`, `model_info`.  Raises ModelRefusedError when it is not there."""
        return await self._ask("POST", "/api/show", {"model": name})

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        import httpx  # a tenth of a second, which a command without a model need not wait

        hooks = {"response": [bounding(httpx.AsyncByteStream, 4 * 1024 * 1024)]}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                httpx.AsyncClient(
                    base_url=self.url,
                    timeout=self._timeout_s,
                    event_hooks=hooks,
                    headers={"accept-encoding": "identity"},
                    verify=self.url.startswith("https"),  # reading certificates takes a quarter of a second
                ) as client,
            ):
                response = await client.request(method, path, json=body)
            told = json.loads(response.content)
        except TimeoutError as error:
            raise self._silent(f"no answer within {self._timeout_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._silent(str(error) or type(error).__name__) from error
        except (ValueError, RecursionError) as error:
            raise self._no_ollama("its answer is not JSON") from error
        if not isinstance(told, dict):
            raise self._no_ollama("its answer is no object")
        if response.status_code == 404 and path == "/api/show":
            name = (body or {}).get("model")
            raise ModelRefusedError(f"it has no model {name}", where=self.url, hint=f"ollama pull {name}")
        if response.status_code >= 400:
            raise self._no_ollama(f"it answers {response.status_code}")
        return told

    def _silent(self, why: str) -> ModelSilentError:
        return ModelSilentError(
            f"Ollama does not answer: {why}", where=self.url, hint="start it with `ollama serve`, or set OLLAMA_HOST"
        )

    def _no_ollama(self, why: str) -> ModelSilentError:
        return ModelSilentError(f"that is no Ollama: {why}", where=self.url, hint="set OLLAMA_HOST to where it is")
