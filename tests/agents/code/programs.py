"""Python modules to try things on: imports, constants, functions, classes; and their descendants, edited by hand."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["edited", "programs"]

_NAMES = st.sampled_from(["area", "load", "scan", "mean", "join", "push"])
_SIMPLE = st.sampled_from(
    [
        "x = 1",
        "y = x + 1",
        "x += 2",
        "print(x)",
        "# a remark",
        "",
        "return x",
        "assert x, (\n    'long'\n)",
        "x = '''a\n  b\n'''",
    ]
)
_IMPORTS = st.sampled_from(
    ["import os", "import re", "from math import sin", "from math import cos, tan", "import json as j"]
)
_EDITS = [("x = 1", "x = 5"), ("pass", "pass\n"), ("x += 2", "x -= 2"), ("print(x)", "# print"), ("= 1", "= 2")]


@st.composite
def _body(draw: st.DrawFn, depth: int = 0) -> list[str]:
    """Lines at the margin; at least one is a statement."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        if depth < 2 and draw(st.integers(0, 3)) == 0:
            head = draw(st.sampled_from(["if x:", "for i in x:", "while x:", "with open(x) as f:", "try:"]))
            lines += [head, *_deeper(draw(_body(depth + 1)))]
            if head == "try:":
                lines += ["except ValueError:", *_deeper(draw(_body(depth + 1)))]
            elif head == "if x:" and draw(st.booleans()):
                lines += [draw(st.sampled_from(["else:", "elif y:"])), *_deeper(draw(_body(depth + 1)))]
        else:
            lines.append(draw(_SIMPLE))
    return [*lines, "pass"]


def _deeper(lines: list[str]) -> list[str]:
    """Indented; what stands within a string is too, as an editor would do it."""
    return [f"    {line}" if line else "" for each in lines for line in each.split("\n")]


@st.composite
def _function(draw: st.DrawFn, name: str) -> str:
    lines = [f"def {name}({draw(st.sampled_from(['x', 'x, y', 'x, y=1']))}):", *_deeper(draw(_body()))]
    return "\n".join(lines)


@st.composite
def _class(draw: st.DrawFn, name: str) -> str:
    members = draw(st.lists(_NAMES, max_size=3, unique=True))
    inner = [line for member in members for line in ["", *draw(_function(member)).split("\n")]]
    return "\n".join([f"class {name.title()}:", "    kind = 1", *_deeper(inner)])


@st.composite
def _pieces(draw: st.DrawFn) -> list[str]:
    names = draw(st.lists(_NAMES, min_size=1, max_size=4, unique=True))
    imports = draw(st.lists(_IMPORTS, max_size=3, unique=True))
    made = [draw(_class(name)) if draw(st.integers(0, 2)) == 0 else draw(_function(name)) for name in names]
    return [*imports, "LIMIT = 1", *(f"\n\n{piece}" for piece in made)]


def _text(pieces: list[str]) -> str:
    return "\n".join(pieces) + "\n"


def programs() -> st.SearchStrategy[str]:
    return _pieces().map(_text)


@st.composite
def edited(draw: st.DrawFn, times: int = 2) -> tuple[str, ...]:
    """A program, and `times` descendants of it; all parse."""
    pieces = draw(_pieces())
    return tuple(_text(each) for each in [pieces, *(draw(_descendant(pieces)) for _ in range(times))])


@st.composite
def _descendant(draw: st.DrawFn, pieces: list[str]) -> list[str]:
    pieces = list(pieces)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(pieces) - 1))
        move = draw(st.sampled_from(["line", "new", "drop", "import", "redo"]))
        if move == "new":
            pieces.insert(at + 1, "\n\n" + draw(_function(draw(st.sampled_from(["fresh", "extra", "other"])))))
        elif move == "drop" and len(pieces) > 2:
            del pieces[at]
        elif move == "import":
            pieces.insert(0, draw(_IMPORTS))
        elif move == "redo" and "def " in pieces[at] and "class " not in pieces[at]:
            pieces[at] = "\n\n" + draw(_function(pieces[at].split("def ")[1].split("(")[0]))
        elif move == "line":
            pieces[at] = pieces[at].replace(*draw(st.sampled_from(_EDITS)))
    return pieces
