"""Sentences about one function, each from a fact, with the lines that prove it. Absence is never claimed."""

from __future__ import annotations

from agents.feedback.docstrings import DocItem, parse_docstring
from agents.feedback.fact_records import FunctionFacts
from agents.feedback.purpose import first_sentence, function_purpose, returned_kinds
from agents.feedback.records import Source, Statement

__all__ = ["HOT_COMPLEXITY", "HOT_DEPTH", "function_statements", "is_hot", "topics_of"]

HOT_COMPLEXITY = 10
HOT_DEPTH = 4
MAX_PER_TOPIC = 6


_EFFECTS = {
    "attribute": "Changes",
    "argument": "Changes the argument",
    "global": "Changes the global",
    "io": "Does I/O by",
    "environment": "Changes the process by",
}
_POSSIBLE_EFFECTS = {
    kind: verb.replace("Changes", "May change").replace("Does", "May do") for kind, verb in _EFFECTS.items()
}


def is_hot(facts: FunctionFacts) -> bool:
    """Whether a function is a complexity hot spot: McCabe at least 10, or control flow nested at least 4 deep."""
    return facts.complexity >= HOT_COMPLEXITY or (facts.deepest is not None and facts.deepest.depth >= HOT_DEPTH)


def topics_of(facts: FunctionFacts) -> tuple[str, ...]:
    """Topics on which the function has something to say; what a complete comment would cover."""
    having = {
        "purpose": True,
        "params": bool(facts.visible_params),
        "returns": facts.returns_value or facts.is_generator,
        "raises": bool(facts.raised),
        "effects": bool(facts.effects),
        "invariants": bool(facts.guards or facts.assertions),
        "complexity": is_hot(facts),
        "types": bool(facts.untyped),
        "todo": bool(facts.todos),
    }
    return tuple(topic for topic, present in having.items() if present)


def function_statements(facts: FunctionFacts) -> list[Statement]:
    """Everything that can be said, topic by topic; the caller chooses by topic."""
    documented = parse_docstring(facts.docstring) if facts.docstring else None
    entries = {item.name: item for item in documented.params} if documented else {}
    return [
        _purpose(facts),
        *_params(facts, entries),
        *_returns(facts),
        *_raises(facts),
        *_effects(facts),
        *_invariants(facts),
        *_complexity(facts),
        *_types(facts),
        *_todos(facts),
    ]


def _say(topic: str, text: str, line: int, end_line: int | None = None, source: Source = "fact") -> Statement:
    return Statement(topic=topic, text=text, source=source, line=line, end_line=end_line or line)


def _purpose(facts: FunctionFacts) -> Statement:
    sentence = first_sentence(facts.docstring) if facts.docstring else ""
    if sentence:
        line = facts.docstring_line or facts.line
        return _say("purpose", f"{sentence}.", line, source="docstring")
    return _say("purpose", f"{function_purpose(facts)}.", facts.line, facts.end_line, source="inferred")


def _params(facts: FunctionFacts, entries: dict[str, DocItem]) -> list[Statement]:
    found = []
    for param in facts.visible_params:
        star = {"var_positional": "*", "var_keyword": "**"}.get(param.kind, "")
        typed = f" ({param.annotation})" if param.annotation else ""
        needed = "" if star else f", default {param.default}" if param.default is not None else ", required"
        only = ", by keyword only" if param.kind == "keyword_only" else ""
        entry = entries.get(param.name)
        said = f": {entry.description}" if entry and entry.description else ""
        source: Source = "docstring" if said else "fact"
        found.append(_say("params", f"`{star}{param.name}`{typed}{needed}{only}{said}", param.line, source=source))
    return found


def _returns(facts: FunctionFacts) -> list[Statement]:
    if facts.is_generator:
        first, last = min(facts.yields), max(facts.yields)
        if any("contextmanager" in each for each in facts.decorators):
            return [_say("returns", "Gives a context manager.", first, last)]
        return [_say("returns", "Yields its results one at a time.", first, last)]
    if not facts.returns_value:
        return []
    lines = [value.line for value in facts.returned]
    given = [value for value in facts.returned if value.kinds != ("None",)]
    what = facts.returns_annotation or " or ".join(kind for kind in returned_kinds(facts) if kind != "None")
    if not what and len({value.text for value in given}) == 1:
        what = f"`{given[0].text}`"
    text = f"Returns {what}." if what else f"Returns a value at {len(given)} place{'s' * (len(given) > 1)}."
    maybe_none = any("None" in value.kinds for value in facts.returned) or facts.reaches_end
    if maybe_none and "None" not in what and not facts.returns_annotation:
        text = f"{text[:-1]}, or None."
    return [_say("returns", text, min(lines), max(lines))]


def _raises(facts: FunctionFacts) -> list[Statement]:
    found: dict[str, Statement] = {}
    for raised in facts.raised[: 2 * MAX_PER_TOPIC]:
        when = f" when `{raised.condition}`" if raised.condition else ""
        message = f" ({raised.message!r})" if raised.message and len(raised.message) < 80 else ""
        again = " again" if raised.reraised else ""
        named = raised.exception if raised.exception.rsplit(".", 1)[-1][:1].isupper() else f"`{raised.exception}`"
        text = f"Raises {named}{again}{when}{message}."
        found.setdefault(text, _say("raises", text, raised.line))
    return list(found.values())[:MAX_PER_TOPIC]


def _effects(facts: FunctionFacts) -> list[Statement]:
    found: dict[str, Statement] = {}
    for effect in facts.effects:
        verb = _EFFECTS[effect.kind] if effect.certain else _POSSIBLE_EFFECTS[effect.kind]
        text = f"{verb} `{effect.what}`."
        found.setdefault(text, _say("effects", text, effect.line))
    return list(found.values())[:MAX_PER_TOPIC]


def _invariants(facts: FunctionFacts) -> list[Statement]:
    found = [_say("invariants", f"Assumes `{each.condition}`.", each.line) for each in facts.assertions]
    found += [
        _say("invariants", f"Goes on only if not `{each.condition}` (else {each.action}).", each.line)
        for each in facts.guards
    ]
    return found[:MAX_PER_TOPIC]


def _complexity(facts: FunctionFacts) -> list[Statement]:
    if not is_hot(facts):
        return []
    deep = f"; {facts.deepest.depth} levels deep at line {facts.deepest.line}" if facts.deepest else ""
    text = f"Hot spot: cyclomatic complexity {facts.complexity} in {facts.length_lines} lines{deep}."
    return [_say("complexity", text, facts.line, facts.end_line)]


def _types(facts: FunctionFacts) -> list[Statement]:
    if not facts.untyped:
        return []
    return [_say("types", f"Without a type: {', '.join(f'`{name}`' for name in facts.untyped)}.", facts.line)]


def _todos(facts: FunctionFacts) -> list[Statement]:
    return [_say("todo", f"{todo.tag}: {todo.text or 'no text'}.", todo.line) for todo in facts.todos[:MAX_PER_TOPIC]]
