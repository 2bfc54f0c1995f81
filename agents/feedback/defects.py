"""Defects in the docstrings that people wrote: what the code plainly contradicts, with line and evidence.

Precision before recall: a defect is reported only where syntax proves it. Where a decorator may change the signature,
a `**kwargs` may take the name, or a base class may hold the behaviour, nothing is said.
"""

from __future__ import annotations

import ast
import difflib
import re

from pydantic import BaseModel, ConfigDict

from agents.feedback.docstrings import DocItem, Docstring, parse_docstring
from agents.feedback.fact_records import FunctionFacts, ModuleFacts, Param
from agents.feedback.references import default_claim
from agents.feedback.returns import claimed_kinds

__all__ = ["Defect", "docstring_defects"]

_HARMLESS = frozenset({"staticmethod", "classmethod", "property", "override", "abstractmethod", "lru_cache", "cache"})
_NO_PARAMETER = frozenset(
    [
        "args", "kwargs", "self", "cls", "todo", "note", "notes", "warning", "returns", "return", "raises",
        "yields", "example", "examples", "default", "str", "int", "float", "bool", "list", "dict", "tuple", "none",
        "see", "usage"
    ]
)  # fmt: skip
"""Words that a loose section offers as an entry's name."""
_NOTHING = re.compile(r"^(none|nothing|no return)\b", re.IGNORECASE)


class Defect(BaseModel):
    """A contradiction between a docstring and its code. `line` is that of the docstring's entry, 1-based."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    scope: str
    line: int
    message: str
    evidence: str
    code_line: int
    fix: str


def docstring_defects(facts: ModuleFacts) -> list[Defect]:
    """Every proven defect of a file's function docstrings, in order of lines."""
    found: list[Defect] = []
    for function in facts.functions:
        if function.docstring and not _opaque(function):
            found.extend(_function_defects(function, parse_docstring(function.docstring)))
    return sorted(found, key=lambda defect: defect.line)


def _opaque(facts: FunctionFacts) -> bool:
    return any(each.split("(")[0].rsplit(".", 1)[-1] not in _HARMLESS for each in facts.decorators)


def _function_defects(facts: FunctionFacts, doc: Docstring) -> list[Defect]:
    return [*_parameters(facts, doc), *_defaults(facts, doc), *_returns(facts, doc), *_raises(facts, doc)]


def _at(facts: FunctionFacts, item: DocItem | None) -> int:
    return (facts.docstring_text_line or facts.line) + (item.offset if item else 0)


def _parameters(facts: FunctionFacts, doc: Docstring) -> list[Defect]:
    """Documented parameters that the signature does not have, where no `*args`/`**kwargs` could take them."""
    takes_any = any(param.kind.startswith("var_") for param in facts.params)
    known = {param.name: param for param in facts.params}
    documented = {item.name for item in doc.params}
    if takes_any or not facts.visible_params or not doc.params:
        return []
    if not documented & set(known):
        return []  # not one name fits: the section describes something else (a class, a closure)
    found = []
    for item in doc.params:
        if (item.type or item.description).startswith("//"):
            continue  # an address, not an entry
        if item.name in known or not item.name.isidentifier() or item.name.lower() in _NO_PARAMETER:
            continue
        if any(item.name == f"{known_name}_" or f"{item.name}_" == known_name for known_name in known):
            continue
        missing = [param.name for param in facts.visible_params if param.name not in documented]
        close = difflib.get_close_matches(item.name, missing, n=1, cutoff=0.5)
        found.append(
            Defect(
                kind="wrong_parameter", scope=facts.qualname, line=_at(facts, item), code_line=facts.line,
                message=f"documents the parameter {item.name!r}, which the signature does not have",
                evidence=f"def {facts.name}({', '.join(_shown(param) for param in facts.params)})",
                fix=f"rename it to {close[0]!r}" if close else "remove the entry",
            )
        )  # fmt: skip
    return found


def _shown(param: Param) -> str:
    return {"var_positional": "*", "var_keyword": "**"}.get(param.kind, "") + param.name


def _defaults(facts: FunctionFacts, doc: Docstring) -> list[Defect]:
    known = {param.name: param for param in facts.params}
    found = []
    for item in doc.params:
        param = known.get(item.name)
        if param is None or param.default is None or param.default == "None":
            continue
        # only the sentence with the word, and only where it speaks of this parameter alone
        said = f"{item.type or ''}. {item.description}"
        mentions = re.findall(r"[^.;]*\bdefaults?\b[^;]*", said, re.IGNORECASE)
        if len(mentions) != 1 or re.search(r"\b(if|when|unless|otherwise|depends|for|in|since)\b", mentions[0]):
            continue
        claim = default_claim(param.name, param.default, said, param.line, "")
        if claim is None or claim.status != "contradicted" or _same_meaning(claim.text, param.default):
            continue
        found.append(
            Defect(
                kind="wrong_default", scope=facts.qualname, line=_at(facts, item), code_line=param.line,
                message=f"documents the default {claim.text}", evidence=claim.evidence, fix=claim.fix,
            )
        )  # fmt: skip
    return found


def _same_meaning(claim: str, actual: str) -> bool:
    """Whether two literals that differ as text mean the same to a reader: 1 and 1.0, `\\n`, True for (True, True), an
    abbreviation (`low` for `lowpass`)."""
    claimed = claim.rpartition("= ")[2]
    try:
        value = ast.literal_eval(actual)
    except (SyntaxError, ValueError):
        return True
    if isinstance(value, tuple | list | set | dict):
        return True
    if isinstance(value, str):
        shorter, longer = sorted((value, claimed), key=len)
        rest = longer.removeprefix(shorter)
        return re.sub(r"\\+n", "\n", claimed) == value or (bool(shorter) and len(rest) < len(longer) and rest.isalpha())
    try:
        return float(ast.literal_eval(claimed)) == float(value) and not isinstance(value, bool)
    except (SyntaxError, ValueError, TypeError):
        return False


def _returns(facts: FunctionFacts, doc: Docstring) -> list[Defect]:
    """A documented value where no path gives one, a documented None where every path gives a value."""
    item = doc.returns
    if item is None or facts.is_abstract or facts.is_generator or facts.is_async or facts.name == "__init__":
        return []
    text = f"{item.type or ''} {item.description}".strip()
    if not text:
        return []
    says_nothing = bool(_NOTHING.match(text)) or claimed_kinds(item.type) == {"None"}
    if not facts.returns_value and not says_nothing:
        maybe_none = re.search(
            r"\b(none|nothing|void|null|noreturn|in[- ]?place|does not return)\b", text, re.IGNORECASE
        )
        only_raises = not facts.falls_through and not facts.returned
        if maybe_none or only_raises or facts.length_lines <= 2 or facts.returns_annotation not in (None, "None"):
            return []
        return [
            Defect(
                kind="returns_nothing", scope=facts.qualname, line=_at(facts, item), code_line=facts.line,
                message=f"documents a return ({text[:60]})", evidence="no path of the body returns a value",
                fix="remove the return entry, or return the value",
            )
        ]  # fmt: skip
    values = [value for value in facts.returned if value.kinds != ("None",)]
    literal = values and all("?" not in value.kinds and "None" not in value.kinds for value in values)
    if says_nothing and literal and len(text.split()) < 4:
        return [
            Defect(
                kind="returns_value", scope=facts.qualname, line=_at(facts, item), code_line=values[0].line,
                message="documents that nothing is returned",
                evidence=f"line {values[0].line}: return {values[0].text}",
                fix="document the value",
            )
        ]  # fmt: skip
    return []


def _raises(facts: FunctionFacts, doc: Docstring) -> list[Defect]:
    """Documented exceptions that cannot leave: the function catches that very type and never raises it."""
    found = []
    own = {raised.exception.rsplit(".", 1)[-1] for raised in facts.raised}
    for item in doc.raises:
        name = item.name.rsplit(".", 1)[-1]
        if name in own or facts.is_abstract:
            continue
        close = [each for each in own if _renamed(each, name)]
        if close:
            line = next(r.line for r in facts.raised if r.exception.rsplit(".", 1)[-1] == close[0])
            found.append(
                Defect(
                    kind="wrong_exception", scope=facts.qualname, line=_at(facts, item), code_line=line,
                    message=f"documents {name}, which is spelled {close[0]} in the code",
                    evidence=f"line {line}: raise {close[0]}", fix=f"write {close[0]}",
                )
            )  # fmt: skip
    return found


def _renamed(actual: str, documented: str) -> bool:
    """Whether two names differ by spelling only (`ValueErorr`), not by being two classes."""
    return actual.lower() == documented.lower() or (
        difflib.SequenceMatcher(None, actual, documented).ratio() > 0.9 and abs(len(actual) - len(documented)) <= 1
    )
