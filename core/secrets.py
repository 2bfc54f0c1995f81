"""Where a secret stands in a text that is to leave this machine: in plain, base64 or percent-encoded.

What `core.scrub` cuts out of a log at no cost would here stop honest work, so a find must also look like a key: a
fixed format, or a run of characters that no word has.  Passwords that look like words are not found: nothing can.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_to_bytes

from core.scrub import CODE_PATTERNS, SECRET_KEY

__all__ = ["Secret", "environment_secrets", "find_secrets"]

Form = Literal["plain", "base64", "percent-encoded"]

MOST_NESTED = 2
"""Encodings within one another that are undone."""
SHORTEST_KNOWN = 8


@dataclass(frozen=True, order=True, slots=True)
class Secret:
    """A secret begins in `line` (from 1).  What it is stands nowhere here."""

    line: int
    form: Form
    kind: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.kind}" + ("" if self.form == "plain" else f", {self.form}")


_FORMATS = (
    ("a private key", ("PRIVATE KEY",), re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    (
        "a token of GitHub",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        re.compile(r"gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,}"),
    ),
    ("a key of AWS or Google", ("AKIA", "ASIA", "AIza"), CODE_PATTERNS[3][0]),
    (
        "a service's key",
        ("npm_", "pypi-", "k_live_", "k_test_", "SG.", "ya29.", "dop_v1_", "shp", "hooks.slack.com", "AccountKey="),
        CODE_PATTERNS[4][0],
    ),
    ("a JSON web token", ("eyJ",), CODE_PATTERNS[5][0]),
)
"""Kind, what every one of its kind holds (looked for first, as that takes no time), and the form, which alone tells."""

_LIKELY = (
    ("a key", ("sk-", "pk-", "rk-"), CODE_PATTERNS[1][0]),
    ("a token", ("_", "-"), CODE_PATTERNS[2][0]),
    ("a bearer token", ("earer", "EARER", "asic", "ASIC"), re.compile(r"(?i)\b(?:bearer|basic)\s+[\w.~+/\-]{8,}=*")),
)
_NAME = r"(?i)(?:api[_-]?key|access[_-]?key|auth[_-]?key|private[_-]?key|token|passwd|password|secret)\w{0,64}[\"']?"
_STEMS = ("key", "token", "passw", "secret")
"""Every such name holds one."""
_BEFORE_STEM, _AFTER_STEM = 8, 1024
_BEFORE = 256
_QUOTED = re.compile(_NAME + r"\s{0,64}(?:=|:|=>|:=)\s{0,64}[\"']([^\s\"'{}]{512}|[^\s\"'{}]{6,511}(?=[\"']))")
_BARE = re.compile(_NAME + r"[ \t]{0,64}[=:][ \t]{0,64}([A-Za-z0-9+/_.~\-]{8,512}=*)(?=[\s,;#&]|\Z)")
_IN_URL = re.compile(r"(?<=://)[^\s/@:\"'<>{}$]+:([^\s/@\"'<>{}$]+)(?=@)")
_EXAMPLES = frozenset({"pass", "passwd", "password", "pw", "pwd", "secret", "example", "changeme", "token"})

_RUN = re.compile(r"[A-Za-z0-9]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}(?:\r?\n[ \t]*[A-Za-z0-9+/_-]{4,})*={0,2}")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}[^\s\"'<>%]*)+")
_BEFORE_PERCENT = re.compile(r"[^\s\"'<>%]*\Z")


def find_secrets(text: str, known: Iterable[str] = ()) -> list[Secret]:
    """The places of secrets in `text`, sorted, each once; `known` are texts that are secret whatever they look like.

    Linear in the length of the text but for what is encoded in it, which is undone up to twice.
    """
    values = [value for value in known if len(value) >= SHORTEST_KNOWN]
    found = {Secret(line, form, kind) for line, form, kind in _found(text, values, MOST_NESTED)}
    for shown in (shown for value in values for shown in _in_base64(value)):  # shorter than what is decoded
        found |= {Secret(_line(text, at), "base64", "a secret of this machine") for at in _places(text, shown)}
    return sorted(found)


def environment_secrets(environment: Mapping[str, str]) -> list[str]:
    """The values of variables that are named as secrets are: GITHUB_TOKEN, OPENAI_API_KEY, DB_PASSWORD …"""
    return [value for name, value in environment.items() if SECRET_KEY.search(name) and len(value) >= SHORTEST_KNOWN]


def _found(text: str, known: Sequence[str], nested: int) -> Iterator[tuple[int, Form, str]]:
    for value in known:
        yield from ((_line(text, at), "plain", "a secret of this machine") for at in _places(text, value))
    for sure, patterns in ((True, _FORMATS), (False, _LIKELY)):
        for kind, marks, pattern in patterns:
            if any(mark in text for mark in marks):
                for match in pattern.finditer(text):
                    if sure or _random(match[0]):
                        yield _line(text, match.start()), "plain", kind
    for offset, part in _around_names(text):
        for match in _QUOTED.finditer(part):
            if _random(match[1]) or _digits_and_letters(match[1]):
                yield _line(text, offset + match.start()), "plain", "a secret in quotes"
        for match in _BARE.finditer(part):
            if _random(match[1]) and any(char.isdigit() for char in match[1]):
                yield _line(text, offset + match.start()), "plain", "a secret after its name"
    for match in _IN_URL.finditer(text) if "@" in text else ():
        if match[1].casefold() not in _EXAMPLES and set(match[1]) - set("*x."):
            yield _line(text, match.start()), "plain", "a password in a URL"
    if nested:
        yield from _encoded(text, known, nested - 1)


def _around_names(text: str) -> Iterator[tuple[int, str]]:
    """Where something is named as secrets are: the parts of `text`, and their beginnings.  Words are found fast."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters become two
        yield 0, text
        return
    at = sorted(place for stem in _STEMS for place in _places(lowered, stem))
    end = -1
    for place in at:
        if place < end:
            continue
        begin = max(end, place - _BEFORE_STEM, 0)
        end = place + _AFTER_STEM
        while (later := bisect_left(at, end)) and (reach := at[later - 1] + _AFTER_STEM) > end:
            end = reach
        yield begin, text[begin:end]


def _encoded(text: str, known: Sequence[str], nested: int) -> Iterator[tuple[int, Form, str]]:
    for match in _PERCENT.finditer(text) if "%" in text else ():
        before = _BEFORE_PERCENT.search(text[max(0, match.start() - _BEFORE) : match.start()])
        undone = (before[0] if before else "") + unquote_to_bytes(match[0]).decode(errors="replace")
        for _, _, kind in _found(undone, known, nested):
            yield _line(text, match.start()), "percent-encoded", kind
    for match in _BASE64.finditer(text):
        run = re.sub(r"[\s=]", "", match[0]).translate(_STANDARD)
        for start in range(4):  # what stands before it may belong to the alphabet too
            undone = _unbased(run[start:])
            for _, _, kind in _found(undone, known, nested) if undone else ():
                yield _line(text, match.start()), "base64", kind


_STANDARD = str.maketrans("-_", "+/")
_URL_SAFE = str.maketrans("+/", "-_")


_PRINTED = bytes(range(32, 127)) + b"\t\r\n"


def _unbased(run: str) -> str:
    """What `run` stands for, if that can be text: bytes read at a wrong offset, or of a picture, are not."""
    run = run[: len(run) - (len(run) % 4 == 1)]
    try:
        undone = base64.b64decode(run + "=" * (-len(run) % 4))
    except (binascii.Error, ValueError):
        return ""
    return undone.decode(errors="replace") if len(undone.translate(None, _PRINTED)) < 0.15 * len(undone) else ""


def _random(value: str) -> bool:
    """Whether some run of letters and digits is none that people write: mixed from 12 characters on, or very long."""
    return any(
        len(run) >= 20 or (len(run) >= 12 and _classes(run) >= 2 and not _camel(run)) for run in _RUN.findall(value)
    )


def _camel(run: str) -> bool:
    return run.isalpha() and not re.search(r"[A-Z]{2}[a-z]?[A-Z]|[a-z][A-Z][a-z]?[A-Z]", run)


def _classes(run: str) -> int:
    return any(c.islower() for c in run) + any(c.isupper() for c in run) + any(c.isdigit() for c in run)


def _digits_and_letters(value: str) -> bool:
    return len(value) >= 8 and any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def _in_base64(value: str) -> Iterator[str]:
    """How `value` may stand in base64, at each of the three offsets, without what its surroundings mix in."""
    data = value.encode()
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + data).decode()
        inner = coded[math.ceil(offset * 8 / 6) : (offset + len(data)) * 8 // 6]
        yield inner
        if (safe := inner.translate(_URL_SAFE)) != inner:
            yield safe


def _places(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
