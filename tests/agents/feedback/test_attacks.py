"""Known attacks on the discriminator, each with whether it is caught today.

A pair is caught when the attacked text scores below half of the honest one. The blind spots are listed as such: when
one is closed, its line here must change.
"""

from __future__ import annotations

from typing import Any

import pytest

from agents.feedback.discriminator import score_annotation

ADD = (
    "def add_listener(self, topic, callback):\n"
    "    listeners = self._listeners.setdefault(topic, [])\n"
    "    if callback not in listeners:\n"
    "        listeners.append(callback)\n"
)
FIRST = (
    "def first_match(patterns, text):\n"
    "    for pattern in patterns:\n"
    "        found = pattern.search(text)\n"
    "        if found:\n"
    "            return found\n"
    "    return None\n"
)
READ = (
    "def read_header(stream, size=16):\n"
    "    data = stream.read(size)\n"
    "    if len(data) < size:\n"
    "        raise EOFError('truncated header')\n"
    "    return data\n"
)


def text(summary: str, details: str = "", **more: Any) -> dict[str, Any]:
    return {"summary": summary, "details": details, "params": [], "returns": None, "raises": [], **more}


HONEST = {
    ADD: text("Register a callback that is called for every event of a topic."),
    FIRST: text("Return the first match of any of the patterns in a text."),
    READ: text("Read a header of fixed size from the start of a stream."),
}

ATTACKS = [
    ("negation", ADD, text("Does not register a callback for a topic."), True),
    ("negation", FIRST, text("Does not return the first match of the patterns in a text."), True),
    ("negation", READ, text("Never reads a header from a stream."), True),
    ("negation in the middle", FIRST, text("Return the first pattern that is not found in a text."), False),
    ("antonym of the name", ADD, text("Remove a callback that is called for every event of a topic."), True),
    ("antonym of the name", FIRST, text("Return the last match of any of the patterns in a text."), True),
    ("antonym of the name", READ, text("Write a header of fixed size to the start of a stream."), True),
    ("antonym without a trace", READ, text("Read a header of fixed size from the end of a stream."), False),
    ("laced identifiers", ADD, text("The listeners of a topic to setdefault and then callback for self."), False),
    ("laced identifiers", FIRST, text("In patterns the pattern then found by search of text as found."), False),
    ("laced identifiers", READ, text("Then data by stream with read as the size and EOFError."), False),
    ("laced identifiers, long", ADD, text("The add_listener of self to topic with callback.",
        "For listeners as _listeners in setdefault, into topic the callback "
        "and append by listeners, then _listeners of add_listener."), True),
    ("vague with true facts", ADD, text("Handles the required processing.", params=[
        {"name": "topic", "type": None, "description": "The topic."},
        {"name": "callback", "type": None, "description": "The callback."}]), True),
    ("vague with true facts", READ, text("Performs the operation as needed.", raises=[
        {"type": "EOFError", "description": "On errors."}]), True),
    ("false absence", READ, text("Read a header of fixed size from a stream.", "It never raises."), True),
    ("false absence", ADD, text("Register a callback for a topic.", "It has no side effects."), True),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "source", "attacked", "caught"), ATTACKS)
def test_attack(attack: str, source: str, attacked: dict[str, Any], caught: bool):
    honest, spoiled = score_annotation(source, HONEST[source]), score_annotation(source, attacked)
    assert (spoiled < 0.5 * honest) is caught, f"{attack}: honest {honest:.3f}, attacked {spoiled:.3f}"
