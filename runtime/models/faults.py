"""What a provider's client raises, sorted: silent (another try may help) or refused (none will)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import ModelError, ModelRefusedError, ModelSilentError
from core.scrub import scrubbed
from runtime.models.transport import seconds_to_wait
from runtime.models.uncertain import UncertainError

__all__ = ["fault_of", "status_of"]

REFUSED = {
    **dict.fromkeys((301, 302, 303, 307, 308), "it points to another address, which is not followed"),
    400: "it takes the call for wrong",
    401: "the key is wrong",
    402: "the account is not paid",
    403: "the key does not allow it",
    404: "there is no such model",
    405: "this is no server of chat models",
    413: "the call is too long",
    422: "it takes the call for wrong",
}
HOPELESS = ("requires more system memory", "insufficient_quota", "does not support chat")
"""Said with a status that otherwise is worth another try."""
OURS = (TypeError, AttributeError, NameError, ImportError, NotImplementedError)
"""Mistakes in code: a factory's model is broken, and stays so."""
NOT_REACHED = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ConnectionRefusedError", "gaierror")
"""Nothing was asked, so nothing was paid."""
NETWORK = ("httpx", "httpx2", "httpcore", "httpcore2", "anyio")


def fault_of(
    error: BaseException, model_id: str, *, where: str, hints: Mapping[int, str], own_code: bool = False
) -> ModelError:
    """`error` as one of ours.  `hints` say what to try by HTTP status, 0 for a server that cannot be reached.

    With `own_code`, the model is somebody's class and no server: a mistake in it is a refusal.
    """
    for one in _chain(error):
        if isinstance(one, ModelError):
            if not one.where:
                one.where = where
            return one
    status = status_of(error)
    text = scrubbed(_first_line(error))
    if status in REFUSED or any(said in text for said in HOPELESS):
        return ModelRefusedError(
            f"{model_id} is refused: {REFUSED.get(status, 'it never will')} ({text})",
            where=where,
            hint=hints.get(status, "check the model's name, its key and its address"),
        )
    if status >= 400:
        return ModelSilentError(
            f"{model_id} fails: {status} ({text})",
            where=where,
            hint="look into the log of the server",
            retry_after_s=_retry_after(error),
        )
    slow = (one for one in _chain(error) if isinstance(one, TimeoutError) or "Timeout" in type(one).__name__)
    if any(type(one).__name__ not in NOT_REACHED for one in slow):
        return UncertainError(
            f"{model_id} is too slow: {text}", where=where, hint="a smaller model, or a longer model.timeout_s"
        )
    if any(isinstance(one, OSError) or type(one).__module__.partition(".")[0] in NETWORK for one in _chain(error)):
        reached = not any(type(one).__name__ in NOT_REACHED for one in _chain(error))
        kind = UncertainError if reached else ModelSilentError
        return kind(f"{model_id} does not answer: {text}", where=where, hint=hints.get(0, "is it running?"))
    if own_code and isinstance(error, OURS):
        return ModelRefusedError(f"{model_id} is broken: {text}", where=where, hint="repair the model's factory")
    return UncertainError(
        f"{model_id} answers what cannot be understood: {text}", where=where, hint="is that a model's server?"
    )


def status_of(error: BaseException) -> int:
    """The HTTP status that an error of any client speaks of, 0 for none."""
    for one in _chain(error):
        for holder in (one, getattr(one, "response", None)):
            status: Any = getattr(holder, "status_code", None)
            if isinstance(status, int) and status >= 300:
                return status
    return 0


def _retry_after(error: BaseException) -> float | None:
    for one in _chain(error):
        headers = getattr(getattr(one, "response", None), "headers", None)
        if headers is not None:
            return seconds_to_wait(headers.get("retry-after"))
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it comes from, the nearest first."""
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
