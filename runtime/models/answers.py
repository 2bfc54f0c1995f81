"""The text of a model → a valid answer, or what is wrong with it as sentences that the model can act on.

Models wrap JSON in thoughts, fences and small talk, add commas, break strings over lines and stop in the middle.
What can be read without guessing is read; everything else is a fault.  Nothing is evaluated.

Of several objects the last one that is valid counts: a model that corrects itself does so below.  Where none is valid,
the faults are those of the one with the fewest.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

__all__ = ["MAX_CHARACTERS", "Parsed", "parse_answer", "parse_text"]

A = TypeVar("A", bound=BaseModel)

MAX_CHARACTERS = 200_000
MAX_DEPTH = 50
MAX_OBJECTS = 20
MAX_TRIES = 200
"""Braces at which an object is looked for, so that a text of nothing but braces takes no quadratic time."""
MAX_FAULTS = 6

TAGS = "think|thinking|thought|reasoning"
THOUGHT = re.compile(rf"\s*<({TAGS})>.*?(?:</\1>|(\Z))", re.DOTALL | re.IGNORECASE)
THOUGHT_END = re.compile(rf"</(?:{TAGS})>", re.IGNORECASE)
MARK = re.compile(r'["{}\[\]]')
STRING_END = re.compile(r'["\\]')
BEGIN = re.compile(r"\{\s*[\"'}]|\{\s*\Z")
"""How an object of JSON begins, or one that was meant to be: a brace in prose goes on otherwise."""
COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class Parsed(Generic[A]):
    """`value`, or the `faults` for which there is none."""

    value: A | None
    faults: tuple[str, ...] = ()


def parse_answer(text: str, answer: type[A], *, cut: bool = False) -> Parsed[A]:
    """A valid `answer` in `text`, else its faults; raises nothing.  `cut` says that the model was stopped midway.

    Keys that `answer` does not have are passed over.  Control characters and halves of surrogate pairs are taken out
    of strings, line breaks stay.  NaN, infinities and doubled keys are faults.
    """
    if len(text) > MAX_CHARACTERS:
        return _fault(f"The answer has {len(text):,} characters; give at most {MAX_CHARACTERS:,}.")
    said, unended = _without_thoughts(text.replace("\ufeff", ""))
    if not said.strip():
        return _fault(
            "The answer was cut off before it began; think less and give the JSON object at once."
            if unended or cut
            else "The answer is empty; give one JSON object."
        )
    whole = said.strip().removeprefix("```json").strip("`\n ")
    found = _Found()
    if whole.startswith("[") and _end(whole, 0, found) == len(whole):
        return _only_of_list(whole, answer)
    candidates = list(_objects(said, found))[-MAX_OBJECTS:]
    best: tuple[str, ...] = ()
    for candidate in reversed(candidates):
        parsed = _read(candidate, answer)
        if parsed.value is not None:
            return parsed
        if not best or len(parsed.faults) < len(best):
            best = parsed.faults
    if found.too_deep:
        return _fault(f"The JSON is nested more than {MAX_DEPTH} deep; give a flatter object.")
    if found.unended or (cut and not best):
        return _fault("The answer was cut off: its JSON object does not end; answer more briefly.")
    return Parsed(None, best or ("The answer holds no JSON object; give one and nothing else.",))


def parse_text(text: str, answer: type[A], *, cut: bool = False) -> Parsed[A]:
    """A free text as an answer with the one field `text`, else its faults; raises nothing.  `cut` as above.

    Control characters are taken out.  A text that was cut off is a fault: half of a file is none.
    """
    if len(text) > MAX_CHARACTERS:
        return _fault(f"The answer has {len(text):,} characters; give at most {MAX_CHARACTERS:,}.")
    said, unended = _without_thoughts(text.replace("\ufeff", ""), "```")
    said = SURROGATE.sub("", CONTROL.sub("", said.replace("\r\n", "\n")))
    if cut or unended:
        return _fault("The answer was cut off before its end; think less, or change less.")
    if not said.strip():
        return _fault("The answer is empty.")
    return Parsed(answer.model_validate({"text": said}))


# ----------------------------------------------------------------------- finding


@dataclass
class _Found:
    unended: bool = False
    too_deep: bool = False


def _without_thoughts(text: str, mark: str = "{") -> tuple[str, bool]:
    """Without thoughts in tags at the start, and whether one did not end.  Where only its end is told, what is before.

    Tags within the answer are text like any other.
    """
    begin = 0
    while match := THOUGHT.match(text, begin):
        if match[2] is not None:
            return "", True
        begin = match.end()
    text = text[begin:]
    *_, end = (None, *THOUGHT_END.finditer(text))
    if end is not None and mark in text[end.end() :]:
        text = text[end.end() :]
    return text, False


def _objects(text: str, found: _Found) -> Iterator[str]:
    """The complete {…} in order that look like JSON; how the others end is noted in `found`."""
    place = 0
    for _ in range(MAX_TRIES):
        place = text.find("{", place)
        if place < 0:
            return
        if not BEGIN.match(text, place):
            place += 1
            continue
        end = _end(text, place, found)
        if end is None:
            found.unended = not found.too_deep
            return
        yield text[place:end]
        place = end


def _end(text: str, begin: int, found: _Found) -> int | None:
    """Where the object that begins there ends; None where it does not, or is nested too deeply."""
    depth, place = 0, begin
    while match := MARK.search(text, place):
        char, place = match[0], match.end()
        if char == '"':
            while (end := STRING_END.search(text, place)) and end[0] == "\\":
                place = end.end() + 1
            if end is None:
                return None
            place = end.end()
        elif char in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                found.too_deep = True
                return None
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return place
    return None


# ----------------------------------------------------------------------- reading


def _only_of_list(text: str, answer: type[A]) -> Parsed[A]:
    """A list of one object is meant as that object."""
    data, fault = _decode(text)
    if fault:
        return _fault(fault)
    if isinstance(data, list) and len(data) == 1 and isinstance(data[0], dict):
        return _validated(data[0], answer)
    return _fault("The answer is a list; give one JSON object.")


def _read(text: str, answer: type[A]) -> Parsed[A]:
    data, fault = _decode(text)
    return _fault(fault) if fault else _validated(data, answer)


def _decode(text: str) -> tuple[Any, str]:
    """The value, or a fault."""
    if _depth(text) > MAX_DEPTH:
        return None, f"The JSON is nested more than {MAX_DEPTH} deep; give a flatter object."
    for attempt in (text, COMMA.sub(lambda match: match[1] or "", text)):
        try:
            return _clean(
                json.loads(
                    attempt,
                    strict=False,
                    object_pairs_hook=_once,
                    parse_constant=_no_number,
                    parse_float=_finite,
                )
            ), ""
        except json.JSONDecodeError as error:
            near = attempt[max(0, error.pos - 20) : error.pos + 20]
            fault = f"This is not JSON: {error.msg}, near {near!r}; use double quotes and no comments."
        except (ValueError, RecursionError) as error:
            return None, f"This is not JSON: {str(error)[:200]}."
    return None, fault


def _validated(data: Any, answer: type[A]) -> Parsed[A]:
    try:
        return Parsed(answer.model_validate(data, extra="ignore"))
    except ValidationError as error:
        try:
            faults = error.errors(include_url=False, include_context=False)
        except Exception as unforeseen:  # noqa: BLE001  # raised by a repr of the answer's class
            return _fault(f"The object is not valid: {type(unforeseen).__name__}.")
        return Parsed(None, tuple(_sentence(dict(fault)) for fault in faults[:MAX_FAULTS]))
    except Exception as error:  # noqa: BLE001  # a validator of the answer's class may raise whatever it likes
        return _fault(f"The object is not valid: {type(error).__name__}: {str(error)[:200]}.")


def _sentence(fault: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in fault["loc"]) or "the object"
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "missing":
        return f"{place}: the field is missing."
    given = json.dumps(fault.get("input"), default=str, ensure_ascii=False)
    return f"{place}: {message}; you gave {given[:80]}{'…' if len(given) > 80 else ''}."


def _fault(text: str) -> Parsed[Any]:
    return Parsed(None, (SURROGATE.sub("\ufffd", text),))


def _depth(text: str) -> int:
    """How deep brackets nest at most, wherever they stand: more than in JSON, where strings have some."""
    depth = deepest = 0
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL):
        if match[0] in ("{", "["):
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in ("}", "]"):
            depth -= 1
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, value in pairs:
        if key in told:
            raise ValueError(f"the key {key!r} stands twice")
        told[key] = value
    return told


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:30]} is too large a number")
    return number


def _clean(value: Any) -> Any:
    """Strings without what no terminal, database or file takes well."""
    if isinstance(value, str):
        return SURROGATE.sub("\ufffd", CONTROL.sub("", value))
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list) else value
