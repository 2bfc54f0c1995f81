"""What a function, class or module is for, as far as names and facts tell: one sentence, marked with its source."""

from __future__ import annotations

import re

from agents.feedback.docstrings import parse_docstring
from agents.feedback.fact_records import ClassFacts, FunctionFacts, ModuleFacts
from agents.feedback.kinds import UNKNOWN
from agents.feedback.words import identifier_parts, sentences

__all__ = ["class_purpose", "first_sentence", "function_purpose", "module_purpose", "returned_kinds"]

_BOOLEAN = frozenset({"is", "has", "can", "should", "needs", "supports", "contains", "exists", "matches"})
_NOUN_LEADS = {
    "get": "Return",
    "fetch": "Fetch",
    "find": "Find",
    "make": "Build",
    "build": "Build",
    "create": "Create",
    "new": "Create",
    "to": "Convert to",
    "from": "Build from",
    "as": "Give as",
    "iter": "Iterate over",
    "on": "React to",
    "parse": "Parse",
    "calc": "Calculate",
    "compute": "Compute",
    "init": "Initialise",
    "del": "Delete",
    "rm": "Remove",
    "num": "Count",
}
_VERBS = frozenset(
    [
        "add",
        "append",
        "apply",
        "assign",
        "attach",
        "bind",
        "call",
        "cancel",
        "change",
        "check",
        "clean",
        "clear",
        "close",
        "collect",
        "combine",
        "compare",
        "compile",
        "compute",
        "configure",
        "connect",
        "convert",
        "copy",
        "count",
        "decode",
        "delete",
        "describe",
        "detach",
        "detect",
        "disable",
        "dispatch",
        "display",
        "download",
        "draw",
        "drop",
        "dump",
        "emit",
        "enable",
        "encode",
        "ensure",
        "enter",
        "escape",
        "evaluate",
        "execute",
        "exit",
        "expand",
        "export",
        "extend",
        "extract",
        "fail",
        "fetch",
        "fill",
        "filter",
        "finalize",
        "find",
        "finish",
        "fit",
        "flatten",
        "flush",
        "format",
        "generate",
        "get",
        "group",
        "handle",
        "hash",
        "hide",
        "import",
        "include",
        "index",
        "infer",
        "insert",
        "install",
        "invalidate",
        "invoke",
        "join",
        "launch",
        "list",
        "load",
        "lock",
        "log",
        "lookup",
        "map",
        "mark",
        "match",
        "merge",
        "modify",
        "move",
        "normalize",
        "notify",
        "open",
        "order",
        "pack",
        "parse",
        "patch",
        "plot",
        "pop",
        "predict",
        "prepare",
        "print",
        "process",
        "prune",
        "pull",
        "push",
        "put",
        "raise",
        "read",
        "receive",
        "record",
        "refresh",
        "register",
        "reject",
        "release",
        "reload",
        "remove",
        "rename",
        "render",
        "repeat",
        "replace",
        "report",
        "reset",
        "resize",
        "resolve",
        "restore",
        "resume",
        "retry",
        "return",
        "reverse",
        "roll",
        "rotate",
        "run",
        "sample",
        "save",
        "scale",
        "scan",
        "schedule",
        "score",
        "search",
        "select",
        "send",
        "serialize",
        "set",
        "setup",
        "shift",
        "show",
        "shuffle",
        "shutdown",
        "skip",
        "sort",
        "split",
        "start",
        "stop",
        "store",
        "strip",
        "submit",
        "subscribe",
        "swap",
        "sync",
        "tag",
        "test",
        "toggle",
        "tokenize",
        "trace",
        "track",
        "train",
        "transform",
        "traverse",
        "trim",
        "truncate",
        "undo",
        "unlock",
        "unpack",
        "unregister",
        "update",
        "upload",
        "validate",
        "verify",
        "visit",
        "wait",
        "walk",
        "warn",
        "wrap",
        "write",
        "yield",
        "zip",
    ]
)
_SPECIAL = {
    "__init__": "Initialise {owner}",
    "__repr__": "Give {owner} as text for debugging",
    "__str__": "Give {owner} as text",
    "__len__": "Count the items of {owner}",
    "__iter__": "Iterate over {owner}",
    "__eq__": "Compare {owner} for equality",
    "__hash__": "Hash {owner}",
    "__call__": "Make {owner} callable",
    "__enter__": "Enter the context of {owner}",
    "__exit__": "Leave the context of {owner}",
    "__getitem__": "Look up an item of {owner}",
    "__setitem__": "Store an item in {owner}",
    "__contains__": "Test membership in {owner}",
    "__delitem__": "Delete an item of {owner}",
    "__post_init__": "Finish the construction of {owner}",
    "__aenter__": "Enter the asynchronous context of {owner}",
    "__aexit__": "Leave the asynchronous context of {owner}",
    "__aiter__": "Iterate asynchronously over {owner}",
    "__anext__": "Give the next item of {owner}, asynchronously",
    "__next__": "Give the next item of {owner}",
    "__bool__": "Tell whether {owner} counts as true",
}


def first_sentence(docstring: str) -> str:
    """The first sentence of a docstring's prose on one line, without a trailing stop; empty when it has none."""
    parsed = parse_docstring(docstring)
    whole = f"{parsed.summary} {parsed.details}".strip()
    if re.match(r"^\w+\(.*\)\s*->", parsed.summary):
        whole = re.sub(r"^\w+\(.*?\)\s*->\s*\S*\s*", "", whole) or whole
    found = sentences(whole)
    return found[0].rstrip(". ").strip() if found else ""


def function_purpose(facts: FunctionFacts) -> str:
    """An inferred sentence for a function without a docstring, from its name, owner, result and effects."""
    owner = facts.class_name or "the object"
    given = [f"`{param.name}`" for param in facts.visible_params]
    if facts.name in _SPECIAL:
        tail = f" from {_listing(given)}" if given else ""
        written = [f"`{each.target.removeprefix('self.')}`" for each in facts.writes if each.target.startswith("self.")]
        own = [each for each in dict.fromkeys(written) if each not in given]
        tail += f", and set up {_listing(own)}" if facts.name == "__init__" and own else ""
        return _SPECIAL[facts.name].format(owner=owner) + tail
    if facts.name.startswith("__") and facts.name.endswith("__"):
        return f"Implement `{facts.name}` of {owner}" + (f" for {_listing(given, 2)}" if given else "")
    parts = list(identifier_parts(facts.name.strip("_")))
    if not parts:
        return f"Local function of {owner}"
    first, rest = parts[0], " ".join(parts[1:])
    kinds = returned_kinds(facts)
    if facts.kind == "property":
        return f"The {' '.join(parts)} of this {facts.class_name or 'object'}"
    if first in _BOOLEAN or kinds == ("bool",):
        subject = " and ".join(given[:2]) or f"this {facts.class_name or 'object'}"
        return f"Tell whether {subject}: {' '.join(parts)}"
    new = [each for each in given if each.strip("`") not in parts]
    tail = f" for {_listing(new, 2)}" if new else f" of this {facts.class_name}" if facts.class_name else ""
    if facts.is_generator and any("contextmanager" in each for each in facts.decorators):
        return f"Manage the context of the {' '.join(parts)}{tail}"
    if facts.is_generator:
        return f"Yield the {rest or first} one by one{tail}"
    lead = _NOUN_LEADS.get(first) or (first.capitalize() if first in _VERBS else "")
    if lead:
        return f"{lead} the {rest}{tail}" if rest else f"{lead}{tail or ' what it holds'}"
    return f"{'Return' if facts.returns_value else 'Carry out'} the {' '.join(parts)}{tail}"


def returned_kinds(facts: FunctionFacts) -> tuple[str, ...]:
    """Kinds of all returned values, empty unless all are known."""
    kinds = {kind for value in facts.returned for kind in value.kinds}
    return () if kinds & {UNKNOWN, "array?"} else tuple(sorted(kinds))


def class_purpose(facts: ClassFacts) -> str:
    """An inferred sentence for a class without a docstring."""
    noun = " ".join(identifier_parts(facts.name))
    if any(base.endswith(("Error", "Exception", "Warning")) for base in facts.bases):
        return f"Raised for {noun.removesuffix(' error').removesuffix(' exception')}"
    if any(base.rsplit(".", 1)[-1] in ("Enum", "IntEnum", "StrEnum", "Flag") for base in facts.bases):
        return f"The kinds of {noun}"
    holds = [each.target for each in facts.attributes if not each.target.startswith("_")][:4]
    return f"A {noun}" + (f", holding {_listing(holds)}" if holds else "")


def module_purpose(facts: ModuleFacts, stem: str) -> str:
    """An inferred sentence for a module without a docstring: what it defines."""
    defined = [(each.name, each.qualname) for each in facts.classes]
    defined += [(each.name, each.qualname) for each in facts.functions]
    public = facts.exports or tuple(name for name, full in defined if "." not in full and not name.startswith("_"))
    if not public:
        return f"Module {stem} without public names"
    more = f" and {len(public) - 4} more" if len(public) > 4 else ""
    return f"Module {stem}: defines {', '.join(public[:4])}{more}"


def _listing(names: list[str], most: int = 4) -> str:
    """`a, b and c`; of more than `most` names the rest is counted."""
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
