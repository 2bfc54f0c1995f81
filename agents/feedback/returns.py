"""Claims about what a function hands back and what it raises, against its `return`, `yield` and `raise` statements."""

from __future__ import annotations

import re

from agents.feedback.claims import Claim
from agents.feedback.fact_records import FunctionFacts
from agents.feedback.kinds import UNKNOWN, annotation_kinds

__all__ = ["claimed_kinds", "raise_claim", "return_claim"]

_KIND_WORDS = {
    "int": "int", "integer": "int", "float": "float", "str": "str", "string": "str", "bool": "bool", "boolean": "bool",
    "bytes": "bytes", "list": "list", "tuple": "tuple", "dict": "dict", "dictionary": "dict", "set": "set",
    "frozenset": "frozenset", "none": "None", "generator": "generator", "iterator": "iterator", "iterable": "iterable",
    "callable": "callable", "function": "callable", "complex": "complex",
}  # fmt: skip
_ITERATORS = frozenset({"generator", "iterator", "iterable"})
_WIDER = {
    "int": {"float", "complex"}, "dict": {"mapping", "OrderedDict"},
    "list": {"sequence", "iterable"}, "tuple": {"sequence", "iterable", "namedtuple"}, "str": {"sequence"},
    "set": {"frozenset", "iterable"}, "generator": {"iterator", "iterable"}, "iterator": {"generator", "iterable"},
    "float": {"int", "complex"}, "callable": {"class"}, "iterable": {"list", "tuple", "set", "dict", "str", "mapping"},
}  # fmt: skip
_BUILTIN = frozenset(_KIND_WORDS.values())
_OR_ELSE = re.compile(r"[`*\s]*(?:none|nothing)[`*]*\s*,\s.*\bor\b", re.IGNORECASE)
"""`None, a thing or a list of things`: the comma begins an alternative, not an explanation."""
_NOTHING = re.compile(
    r"[`*\s]*(?:none|nothing)\b(?!(?:[^.;]|[.;]\S)*\b(?:or|if|when|unless|otherwise|else|until|in case|on)\b)",
    re.IGNORECASE,
)
"""Says that there is never a value; `None if it is missing` does not."""

_ALWAYS = frozenset({"TypeError", "ValueError", "AttributeError", "RuntimeError", "Exception", "AssertionError",
                     "NotImplementedError", "RecursionError", "MemoryError", "BaseException"})  # fmt: skip
_BUILTIN_EXCEPTIONS = frozenset(
    [
        "ArithmeticError", "AssertionError", "AttributeError", "BlockingIOError", "BrokenPipeError", "BufferError",
        "ChildProcessError", "ConnectionAbortedError", "ConnectionError", "ConnectionRefusedError",
        "ConnectionResetError", "EOFError", "EnvironmentError", "FileExistsError", "FileNotFoundError",
        "FloatingPointError", "IOError", "ImportError", "IndexError", "InterruptedError", "IsADirectoryError",
        "KeyError", "KeyboardInterrupt", "LookupError", "ModuleNotFoundError", "NameError", "NotADirectoryError",
        "NotImplementedError", "OSError", "OverflowError", "PermissionError", "ProcessLookupError",
        "RecursionError", "ReferenceError", "RuntimeError", "StopAsyncIteration", "StopIteration", "SyntaxError",
        "SystemError", "SystemExit", "TabError", "TimeoutError", "TypeError", "UnboundLocalError",
        "UnicodeDecodeError", "UnicodeEncodeError", "UnicodeError", "ValueError", "ZeroDivisionError"
    ]
)  # fmt: skip
_FAMILY = {
    "OSError": "IOError EnvironmentError FileNotFoundError PermissionError FileExistsError ConnectionError "
    "TimeoutError NotADirectoryError IsADirectoryError BlockingIOError",
    "LookupError": "KeyError IndexError",
    "ValueError": "UnicodeError UnicodeDecodeError UnicodeEncodeError",
    "ArithmeticError": "ZeroDivisionError OverflowError FloatingPointError",
    "ImportError": "ModuleNotFoundError",
}
_HINTS = {
    "OSError": r"open|os\.|path|file|socket|connect|read|write|stat|dir|process|popen|exec",
    "LookupError": r"\[|pop|get|find|index|remove|lookup|popitem|del ",
    "ValueError": r"decode|encode|unicode|str|bytes|int|float|parse|index|remove|split",
    "ArithmeticError": r"/|%|\*\*|int|float|math|decimal|round|<<",
    "ImportError": r"import|load|module",
    "StopIteration": r"next|iter|send",
}


def claimed_kinds(text: str | None) -> frozenset[str]:
    """Built-in kinds that a documented type names (`list of str or None` → list, None); empty when it names others."""
    if not text or _OR_ELSE.match(text):
        return frozenset()
    text = re.split(r"[,:;.]\s|\bof\b|\bwith\b|\bcontaining\b|, default", text[:200].strip("`*: "), maxsplit=1)[0]
    text = re.sub(r"\[[^\]]*\]", "", text)
    found: set[str] = set()
    for piece in re.split(r"\s*(?:\||,|/|\bor\b)\s*", text):
        piece = piece.strip(" `'\"()").removeprefix("a ").removeprefix("an ").removeprefix("typing.").removeprefix("t.")
        kind = _KIND_WORDS.get(piece.lower())
        if kind is None:
            return frozenset()
        found.add(kind)
    return frozenset(found)


def return_claim(facts: FunctionFacts, returned: dict[str, object] | None) -> Claim | None:
    """The claim that the documented return makes, None when there is none."""
    if not returned or not (returned.get("type") or returned.get("description")):
        return None
    type_text, description = str(returned.get("type") or ""), str(returned.get("description") or "")
    claimed = claimed_kinds(type_text)
    text = type_text or description
    if not claimed and _NOTHING.match(type_text or description):
        claimed = frozenset({"None"})
    line = facts.returned[0].line if facts.returned else facts.line
    if facts.is_abstract:
        return Claim(kind="return", text=text, status="unverifiable", line=line)
    if claimed == {"None"}:
        return _claims_nothing(facts, text, line)
    if facts.is_generator:
        return _claims_of_generator(facts, claimed, f"{type_text} {description}", line)
    if not facts.returns_value:
        if set(claimed) >= {"None"} or _gives_nothing_but_raises(facts):
            return Claim(kind="return", text=text, status="unverifiable", line=line)
        return Claim(
            kind="return", text=text, status="contradicted", line=line, evidence="no path returns a value",
            fix="drop the return, or say that it gives None",
        )  # fmt: skip
    return _compare(facts, claimed, text, line)


def _gives_nothing_but_raises(facts: FunctionFacts) -> bool:
    return not facts.falls_through and not facts.returned and bool(facts.raised)


def _claims_nothing(facts: FunctionFacts, text: str, line: int) -> Claim:
    if facts.is_generator:
        return Claim(
            kind="return", text=text, status="contradicted", line=facts.yields[0],
            evidence=f"line {facts.yields[0]} yields", fix="document what is yielded",
        )  # fmt: skip
    values = [value for value in facts.returned if value.kinds != ("None",)]
    if not values:
        return Claim(kind="return", text=text, status="supported", line=line)
    return Claim(
        kind="return", text=text, status="contradicted", line=values[0].line,
        evidence=f"line {values[0].line}: return {values[0].text}", fix="document the value",
    )  # fmt: skip


def _claims_of_generator(facts: FunctionFacts, claimed: frozenset[str], text: str, line: int) -> Claim:
    line = facts.yields[0]
    wrapped = bool(facts.decorators) and not {"staticmethod", "classmethod"} >= set(facts.decorators)
    if not claimed or claimed & _ITERATORS or wrapped or facts.returns_value:
        return Claim(kind="return", text=text.strip(), status="supported" if claimed else "unverifiable", line=line)
    if re.search(r"\b(yield|generat|iterat)", text.lower()):
        return Claim(kind="return", text=text.strip(), status="unverifiable", line=line)
    collected = bool(claimed & {"list", "tuple", "set", "dict", "frozenset"})
    return Claim(
        kind="return", text=text.strip(), status="contradicted" if collected else "unsupported", line=line,
        evidence=f"line {line} yields: the call gives a generator, not {', '.join(sorted(claimed))}",
        fix="say that it yields",
    )  # fmt: skip


def _compare(facts: FunctionFacts, claimed: frozenset[str], text: str, line: int) -> Claim:
    wrapped = any(each.split("(")[0] not in ("staticmethod", "classmethod", "property") for each in facts.decorators)
    if not claimed or wrapped:
        return Claim(kind="return", text=text, status="unverifiable", line=line)
    possible = {kind for returned in facts.returned for kind in returned.kinds}
    if facts.falls_through:
        possible.add("None")
    annotated = set(annotation_kinds(facts.returns_annotation))
    if UNKNOWN not in annotated:
        possible = annotated if UNKNOWN in possible else possible
    open_ended = UNKNOWN in possible or "array?" in possible
    values = possible - {"None", UNKNOWN, "array?"}
    wanted = claimed - {"None"}
    if not wanted:
        return Claim(kind="return", text=text, status="unverifiable", line=line)
    if any(_agree(want, kind) for want in wanted for kind in values):
        return Claim(kind="return", text=text, status="supported", line=line)
    evidence = "; ".join(f"line {value.line}: return {value.text}" for value in facts.returned[:3])
    if facts.returns_annotation:
        evidence = f"annotated -> {facts.returns_annotation}; {evidence}"
    if open_ended:
        status = "unverifiable" if not values else "unsupported"
        return Claim(kind="return", text=text, status=status, line=line, evidence=evidence)
    named = {kind for kind in values if kind not in _BUILTIN and kind not in ("mapping", "sequence", "range", "deque")}
    if named and wanted == {"callable"}:  # a class with `__call__`, or an alias of a callable type
        return Claim(kind="return", text=text, status="unverifiable", line=line)
    sure = not named or bool(facts.returns_annotation)
    return Claim(
        kind="return", text=text, status="contradicted" if sure else "unsupported", line=line, evidence=evidence,
        fix=f"say {' or '.join(sorted(values)) or 'None'}",
    )  # fmt: skip


def _agree(claimed: str, actual: str) -> bool:
    return (
        claimed == actual
        or claimed.lower() == actual.lower()
        or actual in _WIDER.get(claimed, ())
        or claimed in _WIDER.get(actual, ())
        or claimed in actual.lower()
    )


def raise_claim(facts: FunctionFacts, raised: dict[str, object], source: str) -> Claim:
    """The claim that the function raises `raised["type"]`.

    Raised in the body: supported. A built-in exception that no line could raise, while the body raises others by
    name: unsupported. Whatever a callee may raise: unverifiable.
    """
    name = str(raised.get("type") or "").strip("`~:* ").rsplit(".", 1)[-1]
    own = {each.exception.rsplit(".", 1)[-1]: each.line for each in facts.raised}
    for each, line in own.items():
        if each == name or _related(each, name):
            return Claim(kind="raise", text=name, status="supported", line=line)
    if name == "AssertionError" and facts.assertions:
        return Claim(kind="raise", text=name, status="supported", line=facts.assertions[0].line)
    caught = {each.rsplit(".", 1)[-1]: handler for handler in facts.caught for each in handler.exceptions}
    if name in caught and caught[name].action != "raise":
        return Claim(
            kind="raise", text=name, status="unsupported", line=caught[name].line,
            evidence=f"line {caught[name].line} catches it", fix="drop it, or say when it still leaves",
        )  # fmt: skip
    if re.search(rf"\b{re.escape(name)}\b", source):
        return Claim(kind="raise", text=name, status="unverifiable", line=facts.line)
    if facts.is_abstract or name not in _BUILTIN_EXCEPTIONS or not own:
        return Claim(kind="raise", text=name, status="unverifiable", line=facts.line)
    listed = ", ".join(f"{each} (line {line})" for each, line in own.items())
    return Claim(
        kind="raise", text=name, status="unsupported", line=min(own.values()),
        evidence=f"the body raises {listed}, and nothing in it names {name}", fix=f"document {', '.join(own)}",
        doubt=_doubt(name, source),
    )  # fmt: skip


def _doubt(name: str, source: str) -> float:
    """How unlikely it is that a callee raises `name`: by family of exception and what the body touches."""
    family = next((parent for parent, names in _FAMILY.items() if name == parent or name in names.split()), name)
    if family in _HINTS:
        return 0.6 if re.search(_HINTS[family], source) else 0.9
    return 0.55 if name in _ALWAYS else 0.9


def _related(one: str, other: str) -> bool:
    """Whether raising `one` makes the claim of `other` true: the same, or `other` is the wider class."""
    for parent, names in _FAMILY.items():
        if other == parent and one in names.split():
            return True
    return {one, other} == {"OSError", "IOError"} or other in ("Exception", "BaseException")
