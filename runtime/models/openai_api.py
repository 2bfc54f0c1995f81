"""Whether a server of OpenAI's protocol is there and takes the key; asked before a run, as it costs nothing."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from core.errors import ConfigError, ModelRefusedError, ModelSilentError

__all__ = ["OPENAI_URL", "check_openai", "http_of_openai", "openai_url"]

OPENAI_URL = "https://api.openai.com/v1"
LOOK_S = 10.0
MAX_BYTES = 4 * 1024 * 1024
UNAUTHORISED = 401


def openai_url(environment: Mapping[str, str] = os.environ) -> str:
    """OPENAI_BASE_URL, or OpenAI's own address.  Raises ConfigError."""
    url = environment.get("OPENAI_BASE_URL", "").strip() or OPENAI_URL
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        known = False
    if not known:
        raise ConfigError(
            f"{url!r} is no address of a server", where="OPENAI_BASE_URL", hint="such as http://127.0.0.1:8000/v1"
        )
    return url


async def check_openai(url: str, key: str, *, where: str, timeout_s: float = LOOK_S) -> None:
    """Raises ModelSilentError when nobody is reached at `url`, and ModelRefusedError when the key is wrong.

    By the list of models, in the client that will be used later.  Whatever else it answers says nothing: some servers
    list no models, and a key may be one that cannot list them.
    """
    import openai

    from runtime.models.transport import bounding

    http = http_of_openai()
    try:
        async with openai.DefaultAsyncHttpxClient(
            timeout=timeout_s,
            headers={"accept-encoding": "identity", "authorization": f"Bearer {key}"},
            follow_redirects=False,
            event_hooks={"response": [bounding(http.AsyncByteStream, MAX_BYTES)]},
        ) as client:
            response = await client.get(f"{url.rstrip('/')}/models")
    except (http.ReadTimeout, ModelSilentError):  # somebody is there: slow, overloaded, or with much to say
        return
    except (http.HTTPError, http.InvalidURL) as error:
        raise ModelSilentError(
            f"the server does not answer: {str(error) or type(error).__name__}",
            where=where,
            hint="check OPENAI_BASE_URL",
        ) from error
    if response.status_code == UNAUTHORISED:
        raise ModelRefusedError("the key is wrong", where=where, hint="set OPENAI_API_KEY")


def http_of_openai() -> Any:
    """The HTTP library under the installed openai: httpx2 since its version 3."""
    import openai

    bases = (kind.__module__.partition(".")[0] for kind in openai.DefaultAsyncHttpxClient.__mro__)
    return importlib.import_module(next(name for name in bases if name.startswith("httpx")))
