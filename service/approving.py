"""A question as lines for a terminal, and what a person types as an answer to it."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from core.approvals import Answer, Approval
from core.errors import UsageError, nearest
from core.validation import config_error
from service.escape import escaped

__all__ = ["Typed", "answer_from", "changed_config", "help_line", "left", "lines", "read_typed"]

LABEL = 9
DIFF_LINES = 30
MIN_WIDTH = 40

WORDS = {
    "a": "accept", "accept": "accept", "approve": "accept", "y": "accept", "yes": "accept",
    "e": "edit", "edit": "edit",
    "r": "respond", "respond": "respond",
    "i": "ignore", "ignore": "ignore", "n": "ignore", "no": "ignore", "reject": "ignore",
    "p": "park", "park": "park", "later": "park",
    "?": "help", "h": "help", "help": "help",
}  # fmt: skip
SCOPES = {"c": "campaign", "campaign": "campaign", "project": "project"}


@dataclass(frozen=True)
class Typed:
    """What was typed: an answer, or a wish: the editor, the question left in the inbox, help, or nothing."""

    answer: Answer | None = None
    wish: Literal["", "editor", "park", "help", "nothing"] = ""


def read_typed(text: str, asked: Approval) -> Typed:
    """What a person typed.  An empty line is a yes at low risk, and nothing at all at any other.

    Raises UsageError (ConfigError) for what is none of it; the question stays open.
    """
    word, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if not word:
        return Typed(answer_from("accept")) if asked.tier == "low" else Typed(wish="nothing")
    kind = WORDS.get(word.lower())
    if kind is None:
        raise UsageError(f"{word[:40]!r} is no answer", where=asked.id, hint=help_line(asked))
    if kind == "park":
        return Typed(wish="park")
    if kind == "help":
        return Typed(wish="help")
    if kind not in asked.allowed:
        raise UsageError(f"{asked.id} cannot be answered with {kind}", where=asked.id, hint=help_line(asked))
    if kind == "accept":
        if rest and rest not in SCOPES:
            raise UsageError(f"{rest[:40]!r} is no scope", where=asked.id, hint=nearest(rest[:40], SCOPES))
        return Typed(answer_from("accept", remember=SCOPES.get(rest)))
    if kind == "edit":
        if not rest:
            return Typed(wish="editor")
        return Typed(answer_from("edit", config=changed_config(asked, _changes(rest.split()))))
    if kind == "respond" and not rest:
        raise UsageError("say what the council should hear", where=asked.id, hint="r keep x below 0.5")
    return Typed(answer_from(kind, text=rest))


def answer_from(kind: str, **rest: Any) -> Answer:
    """An answer.  Raises ConfigError for one that cannot be."""
    try:
        return Answer.model_validate({"kind": kind, **rest})
    except ValidationError as error:
        raise config_error(error, Answer, "the answer") from error


def changed_config(asked: Approval, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration that is shown, with changes."""
    return {**asked.shown.get("config", {}), **changes}


def help_line(asked: Approval) -> str:
    """The answers that this question takes, in one line."""
    told = {
        "accept": "a(ccept) [campaign|project]",
        "edit": "e(dit) [key=value …]",
        "respond": "r(espond) TEXT",
        "ignore": "i(gnore) [reason]",
    }
    return " · ".join([*(told[kind] for kind in asked.allowed), "p(ark)", "?"])


def lines(asked: Approval, width: int, *, whole: bool = False, now: float | None = None) -> list[str]:
    """The question, no line wider than `width` columns; with `whole`, all of a long diff.

    Everything in it was written by others: what could move the cursor is spelled out.
    """
    width = max(width, MIN_WIDTH)
    told = [f"{asked.id}  {asked.tier} risk ({asked.risk:.2f})  {asked.title}"]
    body: list[str] = []
    body += _labelled("what", asked.what, width)
    body += list(_shown(asked.shown, width, whole))
    body += _labelled("why", asked.why, width)
    for place, vote in enumerate(asked.votes):
        body += _labelled("votes" if place == 0 else "", vote, width)
    until = f" ({left(asked.expires_at, time.time() if now is None else now)})" if asked.state == "waiting" else ""
    body += _labelled("silence", asked.without_answer + until, width)
    if asked.answer is not None:
        answer = asked.answer
        said = f"{answer.kind} by {answer.by} ({answer.door})" + (f": {answer.text}" if answer.text else "")
        body += _labelled("answered", said, width)
        if answer.config:
            body += list(_config(answer.config, asked.shown.get("config", {}), width))
    elif asked.state == "expired":
        body += _labelled("expired", "nobody answered in time", width)
    return [*_wrapped(told[0], width), *body]


def _shown(shown: Mapping[str, Any], width: int, whole: bool) -> Iterator[str]:
    if "config" in shown:
        yield from _config(shown["config"], shown.get("before", {}), width)
    for name, value in shown.items():
        if name in ("config", "before", "diff"):
            continue
        if isinstance(value, Mapping):
            value = ", ".join(f"{key}: {_value(one)}" for key, one in value.items()) or "–"
        yield from _labelled(name, _value(value), width)
    if "diff" in shown:
        diff = escaped(str(shown["diff"])).splitlines()
        for place, line in enumerate(diff if whole else diff[:DIFF_LINES]):
            label = "diff" if place == 0 else ""
            for part in textwrap.wrap(line, width - LABEL - 2, drop_whitespace=False) or [""]:
                yield f"  {label:<{LABEL}}{part}".rstrip()
                label = ""
        if not whole and len(diff) > DIFF_LINES:
            yield f"  {'':<{LABEL}}… {len(diff) - DIFF_LINES} more lines"


def _config(config: Mapping[str, Any], before: Mapping[str, Any], width: int) -> Iterator[str]:
    """One parameter a line, what it was before where that is another value."""
    names = max((len(name) for name in config), default=0)
    label = "config"
    for name, value in config.items():
        text = _value(value)
        if name in before and before[name] != value:
            text = f"{_value(before[name])} → {text}"
        yield from _labelled(label, f"{name:<{min(names, 30)}}  {text}", width)
        label = ""
    for name in before:
        if name not in config:
            yield from _labelled("", f"{name:<{min(names, 30)}}  {_value(before[name])} → not used", width)


def _value(value: object) -> str:
    """More digits than elsewhere: a person says yes to exactly this."""
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _labelled(label: str, text: str, width: int) -> list[str]:
    label = " ".join(escaped(label).split())[: LABEL - 1]
    parts = _wrapped(text, width - LABEL - 2)
    return [f"  {label if place == 0 else '':<{LABEL}}{part}".rstrip() for place, part in enumerate(parts)]


def _wrapped(text: str, width: int) -> list[str]:
    flat = escaped(text).replace("\n", " ").replace("\t", " ")
    return textwrap.wrap(flat, width) or [""]


def left(expires_at: float | None, now: float) -> str:
    """How long a question still waits."""
    if expires_at is None:
        return "no limit"
    hours = (expires_at - now) / 3600
    if hours <= 0:
        return "time is over"
    if hours < 1:
        return f"{hours * 3600:.0f} s left"
    return f"{hours / 24:.1f} days left" if hours >= 48 else f"{hours:.1f} h left"


def _changes(words: list[str]) -> dict[str, Any]:
    """`key=value` words; a value is YAML."""
    changes: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"{word[:60]!r} is not key=value", where="edit", hint="e x=0.5 kind=b")
        try:
            changes[key] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise UsageError(f"{word[:60]!r}: the value cannot be read", where="edit") from error
    return changes
