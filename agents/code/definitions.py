"""Three-way merge of Python by definitions, for texts whose lines conflict.

A module or class is a sequence of units with keys: functions and classes by name, assignments by their target, `from`
imports by their module, other statements by themselves.  Units of one key are merged like chunks of lines: what only
one side changed is taken; a class that both changed is merged by its members, a function by its lines, an import by
its names (those of either side, but for those that one took away).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from agents.code.lines import indent_of, with_ends
from agents.code.syntax import first_line, parse
from agents.code.three_way import three_way
from agents.code.units import units_of

__all__ = ["DefinitionMerge", "Prefer", "merge_definitions"]

Prefer = Literal["a", "b", "neither"]
Key = tuple[str, ...]
WIDTH = 100


@dataclass
class DefinitionMerge:
    """The merged text, and by qualified name what conflicts (with base, a and b) and what was taken from each side."""

    text: str = ""
    conflicts: list[tuple[str, str | None, str | None, str | None]] = field(default_factory=list)
    from_a: list[str] = field(default_factory=list)
    from_b: list[str] = field(default_factory=list)


def merge_definitions(base: str, a: str, b: str, prefer: Prefer) -> DefinitionMerge | None:
    """The merge; None where both sides moved definitions about.  Raises SyntaxError for a text that does not parse."""
    modules = [_Block.of_module(text) for text in (base, a, b)]
    done = DefinitionMerge()
    text = _Merging(prefer, done).block(modules[0], modules[1], modules[2], "")
    if text is None:
        return None
    done.text = text if base.endswith("\n") or a.endswith("\n") or b.endswith("\n") else text.removesuffix("\n")
    return done


@dataclass(frozen=True)
class _Member:
    key: Key
    text: str
    node: ast.stmt | None

    @property
    def name(self) -> str:
        return self.key[1]


@dataclass(frozen=True)
class _Block:
    members: dict[Key, _Member]
    lines: Sequence[str]

    @classmethod
    def of_module(cls, text: str) -> _Block:
        lines = with_ends(text if text.endswith("\n") or not text else f"{text}\n")
        return cls.of(parse(text).body, lines, 0, len(lines))

    @classmethod
    def of(cls, body: Sequence[ast.stmt], lines: Sequence[str], start: int, end: int) -> _Block:
        members: dict[Key, _Member] = {}
        seen: Counter[Key] = Counter()
        at = start
        for unit in units_of(body, lines, start):
            key = _key(unit.nodes)
            seen[key] += 1
            key = (*key, str(seen[key]))
            members[key] = _Member(key, "".join(lines[unit.start : unit.end]), unit.node)
            at = unit.end
        if at < end:
            members["end", "the end"] = _Member(("end", "the end"), "".join(lines[at:end]), None)
        return cls(members, lines)

    def text(self) -> str:
        return "".join(member.text for member in self.members.values())


def _key(nodes: tuple[ast.stmt, ...]) -> Key:
    match nodes:
        case (ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name),):
            return "def", name
        case (ast.ImportFrom(level=level, module=module),):
            return "from", "." * level + (module or "")
        case (ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)),):
            return "name", name
        case (ast.Expr(value=ast.Constant(value=str())),):
            return "doc", "a docstring"
    text = "; ".join(map(ast.unparse, nodes))
    return "statement", text.split("\n")[0][:80], "".join(map(ast.dump, nodes))


@dataclass
class _Merging:
    prefer: Prefer
    done: DefinitionMerge

    def block(self, base: _Block, a: _Block, b: _Block, prefix: str) -> str | None:
        order = _order(list(base.members), list(a.members), list(b.members))
        if order is None:
            return None
        out: list[str] = []
        for key in order:
            text = self._member([block.members.get(key) for block in (base, a, b)], prefix)
            if text:
                out.append(text if not out else _apart(text, key, prefix))
        return "".join(out)

    def _member(self, three: Sequence[_Member | None], prefix: str) -> str | None:
        base, a, b = three
        said = base or a or b
        assert said is not None
        name = f"{prefix}{said.name}"
        texts = [None if each is None else each.text for each in three]
        bare = [None if text is None else text.strip("\r\n") for text in texts]
        if bare[1] == bare[2]:
            return min(texts[1] or "", texts[2] or "")  # whichever side is called a
        if bare[0] in (bare[1], bare[2]):
            side, taken = (2, self.done.from_b) if bare[0] == bare[1] else (1, self.done.from_a)
            taken.append(name)
            return texts[side]
        if base and a and b and (merged := self._inside(base, a, b, name)) is not None:
            return merged
        self.done.conflicts.append((name, *texts))  # type: ignore[arg-type]  # there are three
        return texts[{"a": 1, "b": 2, "neither": 0}[self.prefer]]

    def _inside(self, base: _Member, a: _Member, b: _Member, name: str) -> str | None:
        nodes = base.node, a.node, b.node
        if all(isinstance(node, ast.ImportFrom) for node in nodes):
            return self._imports(base, a, b, name)
        chunks = three_way(with_ends(base.text), with_ends(a.text), with_ends(b.text))
        if not any(chunk.kind == "conflict" for chunk in chunks):
            self._both(name)
            return "".join(line for chunk in chunks for line in chunk.merged)
        if all(isinstance(node, ast.ClassDef) for node in nodes):
            return self._classes(base, a, b, name)
        return None

    def _classes(self, base: _Member, a: _Member, b: _Member, name: str) -> str | None:
        split = [each for member in (base, a, b) if (each := _class(member.text))]
        if len(split) < 3:
            return None
        heads, blocks = zip(*split, strict=True)
        before = len(self.done.from_a), len(self.done.from_b), len(self.done.conflicts)
        text = self.block(blocks[0], blocks[1], blocks[2], f"{name}.")
        head = self._member([_Member(("head", f"{name} (its head)"), each, None) for each in heads], "")
        if text is None:
            del self.done.from_a[before[0] :], self.done.from_b[before[1] :], self.done.conflicts[before[2] :]
            return None
        return f"{head}{text}"

    def _imports(self, base: _Member, a: _Member, b: _Member, name: str) -> str | None:
        had, has_a, has_b = (_imported(each.node) for each in (base, a, b))
        kept = [each for each in had if each in has_a and each in has_b]
        added = sorted({each for each in (*has_a, *has_b) if each not in had})
        if "*" in (*kept, *added) or "#" in a.text + b.text:
            return None  # a comment belongs to one of the names, nobody knows to which
        self._both(f"imports from {name}")
        body = a.text.lstrip("\r\n")
        lead, indent, names = a.text[: -len(body)], indent_of(body), [*kept, *added]
        line = f"{indent}from {base.name} import {', '.join(names)}\n"
        if len(line) > WIDTH:
            listed = "".join(f"{indent}    {each},\n" for each in names)
            line = f"{indent}from {base.name} import (\n{listed}{indent})\n"
        return lead + line if names else ""

    def _both(self, name: str) -> None:
        self.done.from_a.append(name)
        self.done.from_b.append(name)


def _class(text: str) -> tuple[str, _Block] | None:
    """The lines of a class down to its body, and the body; None when its body does not begin on a line of its own."""
    lines, node = with_ends(text), _parsed(text)
    if not isinstance(node, ast.ClassDef) or node.body[0].lineno == node.lineno:
        return None
    start = first_line(node.body[0])
    while not lines[start - 1].strip():
        start -= 1
    return "".join(lines[:start]), _Block.of(node.body, lines, start, len(lines))


def _parsed(text: str) -> ast.stmt:
    """The statement of a text that may be indented, with its own line numbers."""
    try:
        return parse(text).body[0]
    except SyntaxError:
        block = parse(f"if 1:\n{text}").body[0]
        assert isinstance(block, ast.If)
        ast.increment_lineno(block, -1)
        return block.body[0]


def _imported(node: ast.stmt | None) -> list[str]:
    assert isinstance(node, ast.ImportFrom)
    return [f"{each.name} as {each.asname}" if each.asname else each.name for each in node.names]


def _apart(text: str, key: Key, prefix: str) -> str:
    """With the blank lines that set a definition apart from what stands above it."""
    if key[0] != "def":
        return text
    lead = len(text) - len(text.lstrip("\n"))
    return "\n" * max(0, (1 if prefix else 2) - lead) + text


def _order(base: list[Key], a: list[Key], b: list[Key]) -> list[Key] | None:
    """All keys in one order: the base's, or that of the side which changed it, new ones behind what they follow.

    None if both sides changed the order.  Runs of new keys behind one key stand in the order of their names.
    """
    backbone = base
    for side in (a, b):
        both = set(side) & set(base)
        if [key for key in side if key in both] != [key for key in base if key in both]:
            if backbone is not base:
                return None
            backbone = [key for key in side if key in both]
            backbone += [key for key in base if key not in both]
    runs: dict[Key | None, list[list[Key]]] = {}
    for side in (a, b):
        before: Key | None = None
        fresh = True
        for key in side:
            if key in base:
                before, fresh = key, True
                continue
            if fresh:
                runs.setdefault(before, []).append([])
            runs[before][-1].append(key)
            fresh = False
    order: list[Key] = []
    for place in (None, *backbone):
        if place is not None:
            order.append(place)
        for run in sorted(runs.get(place, [])):
            order += [key for key in run if key not in order]
    end = ("end", "the end")
    return [*(key for key in order if key != end), *(key for key in order if key == end)]
