"""What two descendants of one base have changed, in one: file by file, hunk by hunk, definition by definition.

    merge(base, a, base) = a        merge(base, a, a) = a
    merge(base, a, b) = merge(base, b, a), if nothing conflicts

Lines that both sides changed differently are tried again by definitions.  What still conflicts becomes what the
preferred side has, or stays as in the base.  A Python file that parses on all sides parses when merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.code.definitions import Prefer, merge_definitions
from agents.code.lines import with_ends
from agents.code.syntax import definitions, is_python, syntax_fault
from agents.code.three_way import Chunk, three_way

__all__ = ["Conflict", "Merged", "Prefer", "Taken", "merge"]

WHOLE = "the whole file"


@dataclass(frozen=True, slots=True)
class Taken:
    """A part that came from one side: the lines of the base, the name of a definition, or the whole file."""

    path: str
    where: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A part that the two sides changed differently, with its three texts (None where there is none)."""

    path: str
    where: str
    base: str | None
    a: str | None
    b: str | None


@dataclass(frozen=True, slots=True)
class Merged:
    """All files of the merge, what conflicts, and what was taken from which side (from both: in either list)."""

    files: dict[str, str]
    conflicts: tuple[Conflict, ...]
    taken_from_a: tuple[Taken, ...]
    taken_from_b: tuple[Taken, ...]


def merge(base: Mapping[str, str], a: Mapping[str, str], b: Mapping[str, str], *, prefer: Prefer = "neither") -> Merged:
    """The files of `base` with what `a` and `b` made of them; of a conflict `prefer` wins."""
    work = _Work(prefer)
    for path in sorted({*base, *a, *b}):
        text = work.file(path, base.get(path), a.get(path), b.get(path))
        if text is not None:
            work.files[path] = text
    return Merged(work.files, tuple(work.conflicts), tuple(work.from_a), tuple(work.from_b))


@dataclass
class _Work:
    prefer: Prefer
    files: dict[str, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    from_a: list[Taken] = field(default_factory=list)
    from_b: list[Taken] = field(default_factory=list)

    def file(self, path: str, base: str | None, a: str | None, b: str | None) -> str | None:
        if a == b:
            return a
        if base in (a, b):
            (self.from_b if base == a else self.from_a).append(Taken(path, WHOLE))
            return b if base == a else a
        if a is None or b is None or (base is None and not is_python(path)):
            return self._whole(path, base, a, b)
        return self._text(path, base or "", a, b, added=base is None)

    def _text(self, path: str, base: str, a: str, b: str, *, added: bool) -> str | None:
        parses = not any(syntax_fault(path, text) for text in (base, a, b))
        chunks = three_way(with_ends(base), with_ends(a), with_ends(b))
        text = self._chosen(chunks)
        clean = not any(chunk.kind == "conflict" for chunk in chunks)
        if clean and (not parses or self._sound(path, text, a, b)):
            self._note(path, chunks)
            return text
        if parses and is_python(path):
            done = merge_definitions(base, a, b, self.prefer)
            if done is not None and self._sound(path, done.text, a, b):
                self.conflicts += [Conflict(path, *each) for each in done.conflicts]
                self.from_a += [Taken(path, name) for name in done.from_a]
                self.from_b += [Taken(path, name) for name in done.from_b]
                return done.text
        if not clean and not added and (not parses or self._sound(path, text, a, b)):
            self._note(path, chunks)
            return text
        return self._whole(path, None if added else base, a, b)

    def _whole(self, path: str, base: str | None, a: str | None, b: str | None) -> str | None:
        self.conflicts.append(Conflict(path, WHOLE, base, a, b))
        return {"a": a, "b": b, "neither": base}[self.prefer]

    def _chosen(self, chunks: list[Chunk[str]]) -> str:
        lines: list[str] = []
        for chunk in chunks:
            wins = {"a": chunk.a, "b": chunk.b, "neither": chunk.base}[self.prefer]
            lines += wins if chunk.kind == "conflict" else chunk.merged
        return "".join(lines)

    def _note(self, path: str, chunks: list[Chunk[str]]) -> None:
        for chunk in chunks:
            where = (
                f"lines {chunk.start + 1}-{chunk.start + len(chunk.base)}"
                if chunk.base
                else f"after line {chunk.start}"
            )
            if chunk.kind in ("a", "both"):
                self.from_a.append(Taken(path, where))
            if chunk.kind in ("b", "both"):
                self.from_b.append(Taken(path, where))
            if chunk.kind == "conflict":
                self.conflicts.append(Conflict(path, where, "".join(chunk.base), "".join(chunk.a), "".join(chunk.b)))

    def _sound(self, path: str, text: str, a: str, b: str) -> bool:
        """Whether a merged file parses and defines nothing more often than a side does."""
        if not is_python(path):
            return True
        if syntax_fault(path, text):
            return False
        merged, *sides = (Counter(each.qualname for each in definitions(each_text)) for each_text in (text, a, b))
        return all(count <= max(side[name] for side in sides) for name, count in merged.items())
