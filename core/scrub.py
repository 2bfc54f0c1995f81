"""Text without secrets, before it is written or shown.  Passwords that look like words are not found: nothing can."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

__all__ = ["CODE_PATTERNS", "PATTERNS", "SECRET_KEY", "scrubbed", "scrubbed_code", "scrubbed_data"]

PATTERNS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), "[key]"),
    (re.compile(r"\b(?:sk|pk|rk)-[A-Za-z0-9_*\-]{8,}"), "[key]"),
    (re.compile(
        r"\b(?:ghp|gho|ghu|ghs|ghr|github_pat|glpat|xox[abeoprs]|hf|lsv2_pt|gsk)[_-][A-Za-z0-9_\-]{12,}"
     ), "[key]"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_\-]{30,}"), "[key]"),
    (re.compile(
        r"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-AgE[A-Za-z0-9_\-]{20,}|\b[prs]k_(?:live|test)_[A-Za-z0-9]{10,}"
        r"|\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|\bya29\.[A-Za-z0-9_\-]{20,}|\bdop_v1_[0-9a-f]{40,}"
        r"|\bshp(?:at|ca|pa|ss)_[0-9a-f]{32}|(?<=hooks\.slack\.com/services/)T\w+/B\w+/\w+"
        r"|(?<=AccountKey=)[A-Za-z0-9+/]{40,}=*"
     ), "[key]"),
    (re.compile(r"\beyJ[A-Za-z0-9_\-]{8,2000}\.[A-Za-z0-9_\-]{8,2000}\.[A-Za-z0-9_\-]*"), "[token]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/\-]{8,}=*"), r"\1 [token]"),
    (re.compile(r"(?i)((?:api[_-]?key|access[_-]?key|token|passwd|password|secret)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;}\[]{6,}"),
     r"\1[key]"),
    (re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"), "[key]"),
    (re.compile(
        r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63})*\.[A-Za-z]{2,24}\b"
     ), "[address]"),
    (re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)[^/\\\s\"'`:,;)]+"), "~"),
)  # fmt: skip


def scrubbed(text: str) -> str:
    """Without API keys, bearer tokens, passwords in assignments and URLs, e-mail addresses and home folders."""
    home = str(Path.home())
    if len(home) > 1:
        text = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return text


CODE_PATTERNS = (
    *PATTERNS[:6],
    (re.compile(
        r"(?i)((?:api[_-]?key|access[_-]?key|token|passwd|password|secret)\w*[\"']?\s*[=:]\s*[\"'])[^\s\"'{}]{6,}(?=[\"'])"
     ), r"\1[key]"),
    PATTERNS[8],
)  # fmt: skip
"""What is a secret in a program: `token = next(tokens)` and `a @ b.T` are none."""

CODE_KEYS = frozenset({"code", "code_changes", "diff", "files", "patch", "source"})
SECRET_KEY = re.compile(
    r"(?i)(?:^|[_-])(?:api[_-]?key|access[_-]?key|auth(?:orization)?|passwd|password|secret|token)$"
)


def scrubbed_code(text: str) -> str:
    """A program without keys, tokens, passwords in quotes and in URLs; what is no secret stays as it runs."""
    for pattern, instead in CODE_PATTERNS:
        text = pattern.sub(instead, text)
    return text


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
