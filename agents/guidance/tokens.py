"""Text as tokens: numbers in every usual spelling, words, and signs.

    0.01   1e-2   10^-2   1×10⁻²   1,000   10k   30 %   three

A name such as `batch-size`, `batchSize` or `logstats/parse.py` is several words, of which all but the first are glued.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

__all__ = ["Token", "split_words", "stem", "tokenize"]

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
PLAIN = r"(?:(?<![\[(])\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
POWER = rf"(?:(?P<factor>{PLAIN})\s*[x×*·]\s*)?10(?:\^|\*\*|(?=[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]))"
EXPONENT = r"(?P<exponent>[+-]?\d+|[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
TOKEN = re.compile(
    rf"(?P<power>{POWER}{EXPONENT})"
    rf"|(?P<number>(?:(?<![\w.)\]])[+-])?{PLAIN})(?P<thousand>[kK](?![\w]))?"
    r"|(?P<word>[^\W\d_][^\W_]*)"
    r"|(?P<sign><=|>=|==|!=|<>|≠|≤|≥|\.\.+|…|–|—|[^\w\s]|_)"
)
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
WORDS = {
    word: float(value)
    for value, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
}
GLUE = set("_-./+")


@dataclass(frozen=True)
class Token:
    """`kind` is number, word or sign; `value` of a number, `text` as written, `word` in lower case and singular."""

    kind: str
    text: str
    start: int
    end: int
    word: str = ""
    value: float = math.nan
    glued: bool = False


def stem(word: str) -> str:
    """A word in lower case, a plural as its singular."""
    word = word.lower()
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def split_words(name: str) -> tuple[str, ...]:
    """The words of a name, such as `batch_size`, `batchSize` or `shift+noise`."""
    parts = re.split(r"[^\w]|_", HUMP.sub(" ", name))
    return tuple(stem(part) for part in parts if part)


def tokenize(text: str) -> list[Token]:
    """The tokens of a sentence, in order.  What is no number and no word is a sign."""
    text = text.replace("’", "'")
    tokens: list[Token] = []
    for match in TOKEN.finditer(text):
        start, end = match.span()
        if match["power"]:
            exponent = int(match["exponent"].translate(SUPERSCRIPTS))
            factor = _float(match["factor"] or "1")
            tokens.append(Token("number", match[0], start, end, value=_scaled(factor, exponent)))
        elif match["number"]:
            value = _float(match["number"]) * (1000 if match["thousand"] else 1)
            tokens.append(Token("number", match[0], start, end, value=value))
        elif match["word"]:
            tokens += _words(match["word"], start, tokens)
        else:
            tokens.append(Token("sign", match[0], start, end))
    return _percent(_glue(_apostrophes(tokens)))


def _float(text: str) -> float:
    return float(text.replace(",", ""))


def _scaled(factor: float, exponent: int) -> float:
    """factor × 10^exponent, to the last digit as it would be written."""
    return float(f"{factor!r}e{exponent}") if "e" not in repr(factor) else factor * 10.0**exponent


def _words(text: str, start: int, before: list[Token]) -> list[Token]:
    if text.lower() in WORDS and not (before and before[-1].text in GLUE):
        return [Token("number", text, start, start + len(text), stem(text), WORDS[text.lower()])]
    made: list[Token] = []
    for part in HUMP.split(text):
        made.append(Token("word", part, start, start + len(part), stem(part), glued=bool(made)))
        start += len(part)
    return made


def _apostrophes(tokens: list[Token]) -> list[Token]:
    """`don't` as the one word dont; other quotation marks are left out."""
    out: list[Token] = []
    quoted = False
    for token in tokens:
        if token.text in "'\"`“”‘«»":
            quoted = token.text == "'" and bool(out) and out[-1].kind == "word" and out[-1].end == token.start
            continue
        if quoted and token.kind == "word" and token.start == out[-1].end + 1:
            last = out.pop()
            text = last.text + token.text
            out.append(Token("word", text, last.start, token.end, stem(text), glued=last.glued))
        else:
            out.append(token)
        quoted = False
    return out


def _glue(tokens: list[Token]) -> list[Token]:
    """Signs within a name are left out, and the words after them glued."""
    out: list[Token] = []
    for i, token in enumerate(tokens):
        before = tokens[i - 1] if i else None
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        if (
            token.text in GLUE
            and before is not None
            and after is not None
            and before.end == token.start
            and after.start == token.end
            and "sign" not in (before.kind, after.kind)
            and not before.kind == after.kind == "number"
        ):
            continue
        left_out = before is not None and bool(out) and before.text in GLUE and out[-1] is not before
        touches = bool(out) and out[-1].end == token.start and "sign" not in (token.kind, out[-1].kind)
        if touches or (left_out and before is not None and before.end == token.start):
            token = replace(token, glued=True)
        out.append(token)
    return out


def _percent(tokens: list[Token]) -> list[Token]:
    """A number and its percent sign as one token, whose text ends with the sign."""
    out: list[Token] = []
    for token in tokens:
        percent = token.text == "%" or token.word in ("percent", "pct")
        if percent and out and out[-1].kind == "number":
            last = out.pop()
            out.append(Token("number", f"{last.text}%", last.start, token.end, value=last.value))
        else:
            out.append(token)
    return out
