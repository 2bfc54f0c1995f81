"""Ways to spoil a good annotation, to fit the discriminator's judges on and to attack it with.

Every function takes (row, other rows of the package, rng) and returns an annotation, or None when it does not apply.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable
from typing import Any

from agents.feedback.facts import function_facts
from agents.feedback.words import identifier_parts

Row = dict[str, Any]
Annotation = dict[str, Any]

_VAGUE = [
    "Does the {name} step.",
    "Takes care of everything around {name}.",
    "This is the {name} function; it does what is needed for {name}.",
    "Provides {name} functionality.",
    "Generic routine used by other parts of the system.",
    "Handles {name} in an appropriate way.",
    "Carries out the required processing and gives back the outcome.",
    "Common code that deals with the relevant values.",
    "This function is used to do the {name} operation on the given data.",
    "An important method which should be called when required.",
    "Responsible for the {name} of the object and for other related work.",
    "Wraps several internal steps into one convenient call.",
    "Processes the input and produces the corresponding output.",
    "Method that manages the state and performs tasks.",
    "Runs the function with the supplied arguments.",
    "Contains the implementation of {name}.",
    "Computes the needed values and returns them.",
    "General purpose helper.",
    "Ensures that everything works as intended.",
    "Used internally.",
]
_VAGUE_MORE = [
    "All necessary work is done here.",
    "The arguments are used in the usual way.",
    "See the implementation for more information.",
    "Errors are dealt with where appropriate.",
    "It is flexible and can be used in many situations.",
    "The data is checked, processed and then returned.",
    "It was written with performance and readability in mind.",
    "Several steps are executed one after another.",
    "The behavior depends on the given values.",
    "Make sure to call it correctly.",
]
_VAGUE_PARAM = ["The {name}.", "{name} value.", "Given {name}.", "The {name} that is passed in.", "An input."]
_VAGUE_RETURN = ["The result.", "The output value.", "What was computed.", "The return value of the function."]
_LITTLE = [
    "the", "of", "and", "a", "to", "with", "for", "in", "from", "by", "on", "as", "is", "that", "this", "then",
    "into", "after"
]  # fmt: skip


def swapped(row: Row, rows: list[Row], rng: random.Random) -> Annotation | None:
    """Summary and details of another function, of the same module when there is one, half of the time."""
    same = [other for other in rows if other["module"] == row["module"] and other is not row]
    pool = same if same and rng.random() < 0.6 else [other for other in rows if other is not row]
    pool = [o for o in pool if o["annotation"]["summary"] != row["annotation"]["summary"]]
    if not pool:
        return None
    other = rng.choice(pool)["annotation"]
    return {**row["annotation"], "summary": other["summary"], "details": other["details"]}


def wrong_param_in_prose(row: Row, rows: list[Row], rng: random.Random) -> Annotation | None:
    """One parameter that the prose mentions renamed, all over the prose, to a parameter of another function."""
    facts = function_facts(row["source"])
    if facts is None:
        return None
    own = {param.name for param in facts.params}
    annotation = copy.deepcopy(row["annotation"])
    name = _foreign_name(rows, own, row["source"], rng)
    if name is None:
        return None
    prose = f"{annotation['summary']} {annotation['details']}"
    mentioned = [param.name for param in facts.visible_params if re.search(rf"\b{re.escape(param.name)}\b", prose)]
    if not mentioned:
        return None
    victim = rng.choice(mentioned)
    for key in ("summary", "details"):
        annotation[key] = re.sub(rf"\b{re.escape(victim)}\b", name, annotation[key])
    return annotation


def _foreign_name(rows: list[Row], own: set[str], source: str, rng: random.Random) -> str | None:
    for _ in range(8):
        facts = function_facts(rng.choice(rows)["source"])
        names = [param.name for param in facts.visible_params] if facts else []
        names = [name for name in names if name not in own and len(name) > 1 and not re.search(rf"\b{name}\b", source)]
        if names:
            return rng.choice(names)
    return None


def vague(row: Row, rows: list[Row], rng: random.Random) -> Annotation:
    """Boilerplate prose, true names kept, descriptions emptied."""
    name = " ".join(identifier_parts(row["qualname"].rsplit(".", 1)[-1]))
    more = rng.sample(_VAGUE_MORE, rng.choice([0, 0, 1, 2]))
    annotation = copy.deepcopy(row["annotation"])
    annotation["summary"] = rng.choice(_VAGUE).format(name=name)
    annotation["details"] = " ".join(more)
    for entry in annotation["params"]:
        entry["description"] = rng.choice(_VAGUE_PARAM).format(name=entry["name"])
    if annotation["returns"]:
        annotation["returns"]["description"] = rng.choice(_VAGUE_RETURN)
    return annotation


def echo_lines(row: Row, rows: list[Row], rng: random.Random) -> Annotation:
    """The code itself, line by line."""
    lines = [line.strip() for line in row["source"].split("\n")[1:] if line.strip()]
    rng_start = rng.randrange(max(1, len(lines) - 4))
    picked = lines[rng_start : rng_start + rng.randint(2, 7)] or lines
    return _echoed(row, picked[0], rng.choice(["; ", ". ", " "]).join(picked[1:]), rng)


def echo_bag(row: Row, rows: list[Row], rng: random.Random) -> Annotation:
    """Identifiers of the code as a list, with a verb before."""
    names = _names(row, rng)
    half = rng.randint(2, 6)
    verb = rng.choice(["Uses", "Works with", "Involves", "Processes", "Handles", ""])
    return _echoed(row, f"{verb} {', '.join(names[:half])}.".strip(), f"{' '.join(names[half : half + 9])}.", rng)


def echo_paraphrase(row: Row, rows: list[Row], rng: random.Random) -> Annotation:
    """Each statement retold: `Assigns f(y) to x. Then calls g.`"""
    sentences = []
    for line in row["source"].split("\n")[1:]:
        line = line.strip().rstrip(":")
        if match := re.match(r"^([\w., ]+?) [-+]?= (.+)$", line):
            sentences.append(
                rng.choice(["Sets {0} to {1}.", "Assigns {1} to {0}.", "Stores {1} in {0}."]).format(*match.groups())
            )
        elif line.startswith(("return ", "raise ")):
            verb, _, rest = line.partition(" ")
            sentences.append(f"{verb.capitalize()}s {rest}.")
        elif line.startswith(("if ", "elif ", "while ")):
            sentences.append(f"{rng.choice(['Checks if', 'Tests whether'])} {line.split(' ', 1)[1]}.")
        elif line.startswith("for "):
            sentences.append(f"Loops over {line.split(' in ')[-1]}.")
        elif match := re.match(r"^([\w.]+)\(", line):
            sentences.append(f"Calls {match[1]}.")
    if not sentences:
        return echo_bag(row, rows, rng)
    return _echoed(row, sentences[0], " ".join(sentences[1:8]), rng)


def echo_laced(row: Row, rows: list[Row], rng: random.Random) -> Annotation:
    """Identifiers of the code between little words, so that it reads like prose from afar."""
    names = _names(row, rng)

    def laced(count: int) -> str:
        words = []
        for name in names[:count]:
            words += [rng.choice(_LITTLE), *([rng.choice(_LITTLE)] if rng.random() < 0.5 else []), name]
        return " ".join(words).capitalize() + "."

    return _echoed(row, laced(rng.randint(3, 6)), laced(rng.randint(0, 8)), rng)


def _echoed(row: Row, summary: str, details: str, rng: random.Random) -> Annotation:
    annotation = copy.deepcopy(row["annotation"])
    annotation["summary"], annotation["details"] = summary, details
    names = _names(row, rng)
    for entry in annotation["params"]:
        entry["description"] = " ".join([entry["name"], *rng.sample(names, min(2, len(names)))])
    return annotation


def _names(row: Row, rng: random.Random) -> list[str]:
    found = list(dict.fromkeys(re.findall(r"[A-Za-z_]\w{2,}", row["source"])))
    found = [name for name in found if name not in ("def", "return", "self", "for", "not", "None", "else", "elif")]
    rng.shuffle(found)
    return found or ["value"]


NEGATION = re.compile(
    r"^(Return|Get|Set|Add|Remove|Check|Compute|Create|Convert|Parse|Read|Write|Load|Register|Update|"
    r"Find|Build|Make|Extract|Generate|Yield|Raise|Open|Close|Start|Stop|Send|Print)(s|es)?\b"
)
ANTONYMS = {
    "first": "last",
    "last": "first",
    "add": "remove",
    "remove": "add",
    "open": "close",
    "close": "open",
    "start": "end",
    "read": "write",
    "write": "read",
    "true": "false",
    "minimum": "maximum",
    "maximum": "minimum",
    "smallest": "largest",
    "largest": "smallest",
    "before": "after",
    "after": "before",
    "encode": "decode",
    "decode": "encode",
    "lower": "upper",
    "upper": "lower",
    "left": "right",
    "right": "left",
    "enable": "disable",
    "disable": "enable",
    "create": "delete",
    "delete": "create",
    "increase": "decrease",
    "ascending": "descending",
    "include": "exclude",
    "exclude": "include",
    "insert": "delete",
    "append": "prepend",
    "beginning": "end",
    "input": "output",
    "low": "high",
    "high": "low",
    "adds": "removes",
    "removes": "adds",
    "reads": "writes",
    "writes": "reads",
    "all": "no",
    "compress": "decompress",
    "start,": "stop",
    "starts": "stops",
    "stops": "starts",
    "stop": "start",
    "lock": "unlock",
    "push": "pull",
}


def negated(row: Row, rows: list[Row], rng: random.Random) -> Annotation | None:
    """`Returns x` → `Does not return x`, where the summary begins with a common verb."""
    summary = row["annotation"]["summary"]
    match = NEGATION.match(summary)
    if match is None:
        return None
    return {**row["annotation"], "summary": f"Does not {match[1].lower()}{summary[match.end() :]}"}


def antonym(row: Row, rows: list[Row], rng: random.Random) -> Annotation | None:
    """One word of the summary turned into its opposite."""
    tokens = row["annotation"]["summary"].split(" ")
    places = [index for index, token in enumerate(tokens) if token.lower() in ANTONYMS]
    if not places:
        return None
    place = rng.choice(places)
    flipped = ANTONYMS[tokens[place].lower()]
    tokens[place] = flipped.capitalize() if tokens[place][0].isupper() else flipped
    return {**row["annotation"], "summary": " ".join(tokens)}


def vague_with_facts(row: Row, rows: list[Row], rng: random.Random) -> Annotation | None:
    """Vague prose that carries a true return and true parameters, to buy itself off with facts."""
    facts = function_facts(row["source"])
    if facts is None:
        return None
    annotation = vague({**row, "annotation": {**row["annotation"], "params": [], "returns": None}}, rows, rng)
    annotation["params"] = [
        {"name": p.name, "type": p.annotation, "description": f"The {p.name} parameter."} for p in facts.visible_params
    ]
    annotation["raises"] = [{"type": each.exception, "description": "On errors."} for each in facts.raised[:2]]
    if not facts.returns_value and not facts.is_generator:
        annotation["returns"] = {"type": "None", "description": "Nothing."}
    return annotation


FITTED: dict[str, dict[str, Callable[[Row, list[Row], random.Random], Annotation | None]]] = {
    "summary": {"swapped": swapped},
    "reference": {"wrong_param": wrong_param_in_prose},
    "vague": {"vague": vague},
    "echo": {"lines": echo_lines, "bag": echo_bag, "paraphrase": echo_paraphrase, "laced": echo_laced},
}
"""Corruptions by the judge that is fitted on them."""

ATTACKS: dict[str, Callable[[Row, list[Row], random.Random], Annotation | None]] = {
    "negation": negated,
    "antonym": antonym,
    "laced": echo_laced,
    "vague_with_facts": vague_with_facts,
}
