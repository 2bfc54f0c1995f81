"""Text without secrets, before it is written or shown.  Passwords that look like words are not found: nothing can."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["CODE_PATTERNS", "PATTERNS", "SECRET_KEY", "scrubbed", "scrubbed_code", "scrubbed_data"]

_TOKENS: tuple[str, ...] = ("ghp", "gho", "ghu", "ghs", "ghr", "github_pat", "glpat", "hf", "lsv2_pt", "gsk")
_TOKENS += tuple(f"xox{letter}" for letter in "abeoprs")
_NAMES = ("api", "access", "token", "passw", "secret")

PATTERNS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), "[key]",
     ("private key",)),
    (re.compile(r"\b(?:sk|pk|rk)-[A-Za-z0-9_*\-]{8,}"), "[key]", ("sk-", "pk-", "rk-")),
    (re.compile(rf"\b(?:{'|'.join(_TOKENS)})[_-][A-Za-z0-9_\-]{{12,}}"), "[key]",
     tuple(name + joint for name in _TOKENS for joint in "_-")),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_\-]{30,}"), "[key]", ("akia", "asia", "aiza")),
    (re.compile(
        r"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-AgE[A-Za-z0-9_\-]{20,}|\b[prs]k_(?:live|test)_[A-Za-z0-9]{10,}"
        r"|\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|\bya29\.[A-Za-z0-9_\-]{20,}|\bdop_v1_[0-9a-f]{40,}"
        r"|\bshp(?:at|ca|pa|ss)_[0-9a-f]{32}|(?<=hooks\.slack\.com/services/)T\w+/B\w+/\w+"
        r"|(?<=AccountKey=)[A-Za-z0-9+/]{40,}=*"
     ), "[key]",
     ("npm_", "pypi-", "k_live_", "k_test_", "sg.", "ya29.", "dop_v1_", "shp", "hooks.slack.com", "accountkey=")),
    (re.compile(r"\beyJ[A-Za-z0-9_\-]{8,2000}\.[A-Za-z0-9_\-]{8,2000}\.[A-Za-z0-9_\-]*"), "[token]", ("eyj",)),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/\-]{8,}=*"), r"\1 [token]", ("bearer", "basic")),
    (re.compile(r"(?i)((?:api[_-]?key|access[_-]?key|token|passwd|password|secret)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;}\[]{6,}"),
     r"\1[key]", _NAMES),
    (re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"), "[key]", ("://",)),
    (re.compile(
        r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63})*\.[A-Za-z]{2,24}\b"
     ), "[address]", ("@",)),
    (re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)[^/\\\s\"'`:,;)]+"), "~", ("/home/", "/users/", "\\users\\")),
)  # fmt: skip
"""The form, what stands in its place, and what every text that has one holds, in small letters: looking for that first
takes a tenth of the time."""


def scrubbed(text: str) -> str:
    """Without API keys, bearer tokens, passwords in assignments and URLs, e-mail addresses and home folders."""
    home = _home(os.environ.get("HOME"))
    if home is not None and home[0] in text:
        text = home[1].sub("~", text)
    return _without(text, PATTERNS)


CODE_PATTERNS = (
    *PATTERNS[:6],
    (re.compile(
        r"(?i)((?:api[_-]?key|access[_-]?key|token|passwd|password|secret)\w*[\"']?\s*[=:]\s*[\"'])[^\s\"'{}]{6,}(?=[\"'])"
     ), r"\1[key]", _NAMES),
    PATTERNS[8],
)  # fmt: skip
"""What is a secret in a program: `token = next(tokens)` and `a @ b.T` are none."""

CODE_KEYS = frozenset({"code", "code_changes", "diff", "files", "patch", "source"})
SECRET_KEY = re.compile(
    r"(?i)(?:^|[_-])(?:api[_-]?key|access[_-]?key|auth(?:orization)?|passwd|password|secret|token)$"
)


def scrubbed_code(text: str) -> str:
    """A program without keys, tokens, passwords in quotes and in URLs; what is no secret stays as it runs."""
    return _without(text, CODE_PATTERNS)


def scrubbed_data(value: Any, *, code: bool = False) -> Any:
    """JSON data with every text scrubbed; under `code`, `diff`, `files`, `patch` and `source` as programs.

    A text that stands under the name of a secret (`api_key`, `db_password`) is none of anybody's business.
    """
    if isinstance(value, str):
        return scrubbed_code(value) if code else scrubbed(value)
    if isinstance(value, list | tuple):
        return [scrubbed_data(one, code=code) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        scrubbed(str(key)): "[key]"
        if isinstance(one, str) and one and not code and SECRET_KEY.search(str(key))
        else scrubbed_data(one, code=code or key in CODE_KEYS)
        for key, one in value.items()
    }


def _without(text: str, patterns: Iterable[tuple[re.Pattern[str], str, tuple[str, ...]]]) -> str:
    folded = text.casefold()
    for pattern, instead, holds in patterns:
        if any(part in folded for part in holds):
            text = pattern.sub(instead, text)
    return text


@lru_cache(maxsize=4)
def _home(_: str | None) -> tuple[str, re.Pattern[str]] | None:
    """The user's folder, found once for every HOME; None where there is none to hide."""
    home = str(Path.home())
    return (home, re.compile(rf"{re.escape(home)}(?![\w.-])")) if len(home) > 1 else None
