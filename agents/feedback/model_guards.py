"""What a model's sentence about a function must hold against before it is taken: names, absence, facts, form."""

from __future__ import annotations

import builtins
import io
import re
import textwrap
import tokenize

from agents.feedback.discriminator import judge_annotation
from agents.feedback.model_scopes import Scope
from agents.feedback.records import DiscriminatorScore

__all__ = ["code_lines", "contradiction", "faults_of_text", "one_line"]

LEAST_SHARE = 0.7
"""Of the reward of the rules' words, chosen on 234 functions by `benchmarks.feedback.model_gate`: 68 % of people's own
summaries earn that much, and 6 % of those of another function (at 0.5: 79 % and 13 %, at 0.9: 49 % and 3 %)."""
FEWEST_WORDS = 3

_TICKED = re.compile(r"`([^`\n]{1,80})`")
_CALLED = re.compile(r"\b([A-Za-z_][\w.]*)\((?!s\))")
_SNAKE = re.compile(r"(?<![\w.`/-])([A-Za-z]\w*_\w+|_\w+)(?![\w/-])")
_DOTTED = re.compile(r"(?<![\w.`/-])([a-z_]\w+(?:\.[A-Za-z_]\w+)+)\b")
_EXCEPTION = re.compile(r"\b([A-Z]\w*(?:Error|Exception|Warning|Exit|Interrupt|Iteration))\b")
_PARAMETER = re.compile(r"\b(?:parameter|argument|keyword|option|flag)s?\s+(?:named\s+|called\s+)?[`'\"](\w+)[`'\"]")
_ABSENT = re.compile(
    r"\b(?:never|does\s+not|doesn't|do\s+not|won't|will\s+not|cannot|can't)\s+(?:\w+ly\s+)?"
    r"(?:rais|fail|throw|modif|mutat|chang|touch|writ|block|leak|allocat|access|alter|affect|return|yield|clos|check|validat|call|delet|remov)\w*"
    r"|\bwithout\s+(?:ever\s+)?(?:any\s+)?(?:rais|fail|throw|modif|mutat|chang|side|writ|touch|block|alter|affect)\w*"
    r"|\b(?:no|free\s+of)\s+(?:side[- ]effects?|exceptions?|errors?|i/?o\b|mutations?)"
    r"|\b(?:thread|exception|async|process)[- ]?safe\b|\bpure\s+function\b|\bis\s+pure\b|\bidempotent\b"
    r"|\bre-?entrant\b",
    re.IGNORECASE,
)
_OBEYED = re.compile(
    r"\b(?:noqa|nosec|type:\s*ignore|pragma:|pylint:|fmt:\s*(?:on|off|skip)|isort:|mypy:|ruff:|coding[:=])",
    re.IGNORECASE,
)
"""What tools obey where it stands in a comment."""
_STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
_TYPES = frozenset(
    [
        "None", "True", "False", "bool", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object",
        "set", "str", "tuple", "type", "self", "cls"
    ]
)  # fmt: skip
_BUILTIN_EXCEPTIONS = {
    name for name, each in vars(builtins).items() if isinstance(each, type) and issubclass(each, BaseException)
}


def one_line(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())


def faults_of_text(text: str, scope: Scope) -> list[str]:
    """What is wrong with a sentence by itself, each fault as a sentence that the model can act on."""
    found = [f"there is no `{name}` in it" for name in _unknown(text, scope)]
    if match := _ABSENT.search(text):
        found.append(f"nothing proves {match[0]!r}: say what it does")
    if not all(character.isprintable() for character in text) or len(re.findall(r"[^\W\d_]+", text)) < FEWEST_WORDS:
        found.append("write one sentence of plain words")
    if match := _OBEYED.search(text):
        found.append(f"leave out {match[0]!r}, which tools obey")
    return [f"{scope.label}: {fault}" for fault in found]


def contradiction(before: DiscriminatorScore, annotation: dict[str, object], scope: Scope) -> str:
    """Why the rules do not let an annotation take the place of the one that scored `before`; empty when they do."""
    after = judge_annotation(scope.source, annotation, scope.facts)
    known = {(claim.kind, claim.text) for claim in before.claims}
    for claim in after.claims:
        if claim.status == "contradicted" and (claim.kind, claim.text) not in known:
            return f"the code contradicts {claim.text!r}: {claim.evidence}"
        if claim.kind == "absence":
            return f"nothing proves {claim.text!r}"
    if after.gates.get("claims", 0.0) < before.gates.get("claims", 0.0) - 1e-9:
        return "the code bears it out less than the rules' words"
    if after.reward < LEAST_SHARE * before.reward:
        return f"it scores {after.reward:.2f}, the rules' words {before.reward:.2f}"
    return ""


def _unknown(text: str, scope: Scope) -> list[str]:
    """Names in the text that the function does not have: in backticks, called, with an underscore, exceptions."""
    known = _known(scope)
    named: list[str] = []
    for ticked in _TICKED.findall(text):
        named += re.findall(r"[A-Za-z_][\w.]*", ticked)
    for pattern in (_CALLED, _SNAKE, _DOTTED, _EXCEPTION, _PARAMETER):
        named += pattern.findall(text)
    named += [word for word in re.findall(r"\b[A-Z]\w+\b", text) if word in _BUILTIN_EXCEPTIONS]
    return [
        name for name in dict.fromkeys(each.strip(".") for each in named) if name and not set(name.split(".")) <= known
    ]


def _known(scope: Scope) -> set[str]:
    """Names and words of the code.  Its comments do not count: whoever writes them would decide what exists."""
    found = set(scope.facts.names) | set(scope.facts.qualname.split(".")) | set(_TYPES)
    found |= {param.name for param in scope.facts.params}
    for text in scope.facts.strings:
        found |= set(re.findall(r"\w+", text))
    return found | set(re.findall(r"\w+", "\n".join(code_lines(scope.source))))


def code_lines(source: str) -> list[str]:
    """The lines of code without comments and without what goes on in a string of several lines, blanks made one."""
    lines = textwrap.dedent(source).split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
            (row, column), (last, end) = token.start, token.end
            if token.type == tokenize.COMMENT:
                lines[row - 1] = lines[row - 1][:column]
            elif token.type in _STRINGS and last > row:  # prose within quotes is no code either
                lines[row : last - 1] = [""] * (last - 1 - row)
                lines[last - 1] = " " * end + lines[last - 1][end:]
    except (tokenize.TokenError, SyntaxError):  # half a function: better too little than a comment taken for code
        lines = [re.sub(r"#.*", "", line) for line in lines]
    return [line for line in map(one_line, lines) if line]
