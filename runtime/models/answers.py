"""The text of a model → a valid answer, or what is wrong with it as sentences that the model can act on.

Models wrap JSON in thoughts, fences and small talk, add commas, break strings over lines and stop in the middle.
What can be read without guessing is read; everything else is a fault.  Nothing is evaluated.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

__all__ = ["MAX_CHARACTERS", "Parsed", "parse_answer"]

A = TypeVar("A", bound=BaseModel)

MAX_CHARACTERS = 200_000
MAX_DEPTH = 50
MAX_OBJECTS = 20
MAX_FAULTS = 5

THOUGHT = re.compile(r"<(think|thinking|thought|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
THOUGHT_END = re.compile(r"^.*</(?:think|thinking|thought|reasoning)>", re.DOTALL | re.IGNORECASE)
THOUGHT_BEGIN = re.compile(r"<(?:think|thinking|thought|reasoning)>.*$", re.DOTALL | re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Parsed(Generic[A]):
    """`value`, or the `faults` for which there is none."""

    value: A | None
    faults: tuple[str, ...] = ()


def parse_answer(text: str, answer: type[A]) -> Parsed[A]:
    """The last complete JSON object in `text` that is a valid `answer`; else the faults of the last one.

    The last: a model that corrects itself does so below.  Thoughts in tags are passed over, one that never ends too.
    """
    if len(text) > MAX_CHARACTERS:
        return Parsed(None, (f"the answer has {len(text):,} characters, more than {MAX_CHARACTERS:,}",))
    said = THOUGHT_BEGIN.sub("", THOUGHT_END.sub("", THOUGHT.sub("", text.lstrip("\ufeff"))))
    if not said.strip():
        return Parsed(None, ("the answer is empty; give one JSON object",))
    objects, unended, too_deep = _objects(said)
    if too_deep:
        return Parsed(None, (f"the JSON is nested more than {MAX_DEPTH} deep",))
    faults: tuple[str, ...] = ()
    for candidate in reversed(objects[-MAX_OBJECTS:]):
        parsed = _validated(candidate, answer)
        if parsed.value is not None:
            return parsed
        faults = faults or parsed.faults
    if unended:
        return Parsed(None, ("the answer is cut off: its JSON object does not end; answer more briefly",))
    return Parsed(None, faults or ("the answer holds no JSON object; give one and nothing else",))


def _objects(text: str) -> tuple[list[str], bool, bool]:
    """The outermost complete {…} in order, whether the last is not closed, and whether one is nested too deeply."""
    found: list[str] = []
    depth, begin, in_string, escaped = 0, 0, False, False
    for place, char in enumerate(text):
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"' and depth:
            in_string = True
        elif char == "{":
            if not depth:
                begin = place
            depth += 1
            if depth > MAX_DEPTH:
                return found, False, True
        elif char == "}" and depth:
            depth -= 1
            if not depth:
                found.append(text[begin : place + 1])
    return found, depth > 0, False


def _validated(text: str, answer: type[A]) -> Parsed[A]:
    try:
        data = json.loads(
            _without_trailing_commas(text), strict=False, object_pairs_hook=_once, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        return Parsed(None, (f"this is not JSON: {error}",))
    try:
        return Parsed(answer.model_validate(_clean(data)))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)[:MAX_FAULTS]
        return Parsed(
            None, tuple(f"{'.'.join(map(str, fault['loc'])) or 'the answer'}: {fault['msg']}" for fault in faults)
        )
    except RecursionError:
        return Parsed(None, ("the JSON is nested too deeply",))


def _without_trailing_commas(text: str) -> str:
    """Without the commas before } and ], which many models write; those inside of strings stay."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|,(\s*[}\]])', lambda m: m[1] or m[2], text, flags=re.DOTALL)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    twice = next((key for key in keys if keys.count(key) > 1), None) if len(set(keys)) < len(keys) else None
    if twice is not None:
        raise ValueError(f"the key {twice!r} stands twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def _clean(value: Any) -> Any:
    """Without control characters but tabs and newlines."""
    if isinstance(value, str):
        return CONTROL.sub("", value)
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list) else value
