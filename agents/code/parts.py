"""A change of files as the smallest parts that stand for themselves: any subset of them applies, and parses.

    compose(base, split(base, after)) == after          compose(base, ()) == base

Parts of a Python file that parses on both sides are replacements of whole statements, so every subset parses; other
files come apart between changed lines.  A part that uses a name which only another part brings into the project needs
that other part (`needs`); `closed` adds what a choice needs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from agents.code.alignment import Change, changes
from agents.code.lines import with_ends
from agents.code.splitting import statement_changes
from agents.code.syntax import definitions, is_python, parse

__all__ = ["Part", "closed", "compose", "split"]

_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Part:
    """`lines[start:end]` of the base's file (with their ends) become `text`.

    `whole`: the file as a whole becomes `text`, or goes with None.  `where` names the definition that the part lies in,
    `number` is its index, `needs` holds the indices of the parts whose names it uses.
    """

    path: str
    start: int = 0
    end: int = 0
    text: str | None = ""
    whole: bool = False
    where: str = ""
    number: int = 0
    needs: frozenset[int] = frozenset()


def split(base: Mapping[str, str], after: Mapping[str, str]) -> tuple[Part, ...]:
    """The parts of the change from `base` to `after`, by path and line."""
    parts: list[Part] = []
    for path in sorted({*base, *after}):
        old, new = base.get(path), after.get(path)
        if old is None or new is None or not _splits(old, new):
            if old != new:
                parts.append(Part(path, text=new, whole=True))
            continue
        before, later = with_ends(_ended(old)), with_ends(_ended(new))
        names = _names_by_line(path, old)
        for i1, i2, j1, j2 in _changes(path, before, later):
            where = names.get(i1, "") if names.get(i1) == names.get(max(i1, i2 - 1)) else ""
            parts.append(Part(path, i1, i2, "".join(later[j1:j2]), where=where))
    needs = _needs(base, parts)
    return tuple(replace(part, number=at, needs=needs[at]) for at, part in enumerate(parts))


def compose(base: Mapping[str, str], parts: Iterable[Part]) -> dict[str, str]:
    """All files of `base` with some of the parts of one `split`, in any order."""
    by_path: dict[str, list[Part]] = {}
    for part in parts:
        by_path.setdefault(part.path, []).append(part)
    files = dict(base)
    for path, own in by_path.items():
        old, first = base.get(path, ""), own[0]
        lines = with_ends(_ended(old))
        for part in sorted(own, key=lambda part: part.number, reverse=True):
            lines[part.start : part.end] = [part.text or ""]
        text = "".join(lines)
        if not first.whole:
            files[path] = text if _ended(old) == old else text.removesuffix("\n")
        elif first.text is None:
            del files[path]
        else:
            files[path] = first.text
    return files


def closed(parts: tuple[Part, ...], chosen: Collection[int]) -> frozenset[int]:
    """The chosen indices with all that they need, directly or not."""
    done: set[int] = set()
    todo = list(chosen)
    while todo:
        at = todo.pop()
        if at not in done:
            done.add(at)
            todo += parts[at].needs
    return frozenset(done)


def _splits(old: str, new: str) -> bool:
    """Whether a file may come apart: not when it is emptied, filled, or its last line's end changes."""
    return bool(old) and bool(new) and old.endswith("\n") == new.endswith("\n")


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"


def _changes(path: str, before: list[str], after: list[str]) -> list[Change]:
    texts = ["".join(lines) for lines in (before, after)]
    if not is_python(path):
        return changes(before, after)
    try:
        trees = [parse(text) for text in texts]
    except SyntaxError:
        return changes(before, after)
    if any("\r" in text.replace("\r\n", "\n") for text in texts):  # the parser counts lines otherwise than we do
        return [(0, len(before), 0, len(after))] if before != after else []
    return statement_changes(before, after, trees[0], trees[1])


def _names_by_line(path: str, text: str) -> dict[int, str]:
    names: dict[int, str] = {}
    try:
        for each in definitions(text) if is_python(path) else ():
            names.update(dict.fromkeys(range(each.start, each.end), each.qualname))
    except SyntaxError:
        pass
    return names


def _needs(base: Mapping[str, str], parts: list[Part]) -> list[frozenset[int]]:
    """Which parts bring the names that a part uses, of the names that stand nowhere in the base."""
    known = {name for text in base.values() for name in _NAME.findall(text)}
    bringing: dict[str, set[int]] = {}
    for at, part in enumerate(parts):
        for name in _brought(part) - known:
            bringing.setdefault(name, set()).add(at)
    return [
        frozenset(
            other
            for name in set(_NAME.findall(part.text or "")) & set(bringing)
            for other in bringing[name]
            if at not in bringing[name] and _sees(part, parts[other])
        )
        for at, part in enumerate(parts)
    ]


def _sees(user: Part, bringer: Part) -> bool:
    """Whether a name of one part can be meant by another: a local name only within its own function."""
    return not bringer.where or bringer.where == user.where or _is_class(bringer)


def _is_class(part: Part) -> bool:
    return part.where.rsplit(".", 1)[-1][:1].isupper()


def _brought(part: Part) -> set[str]:
    """The names that the part's own statements bind: definitions, imports, assignments."""
    names: set[str] = set()
    for line in _statements(part.text or ""):
        match line:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {(each.asname or each.name).split(".")[0] for each in aliases}
            case ast.Assign() | ast.AnnAssign():
                names |= {
                    each.id for each in ast.walk(line) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
                }
    return names


def _statements(text: str) -> list[ast.stmt]:
    for candidate in (text, f"if 1:\n{text}"):
        try:
            body = parse(candidate).body
        except SyntaxError:
            continue
        first = body[0] if body else None
        return first.body if candidate is not text and isinstance(first, ast.If) else body
    return []
