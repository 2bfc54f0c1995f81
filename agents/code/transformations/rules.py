"""What a transformation is: a named way to find places, each with the edits that change it."""

from __future__ import annotations

import ast
import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from agents.code.transformations.analysis.parsed import ParsedModule
from core.errors import ConfigError, RatchetError
from core.ids import content_id

__all__ = ["Confidence", "Rewrite", "Rule", "Site", "Splice", "Transformation", "conditions"]

Confidence = Literal["exact", "assumed"]
"""`exact`: the code proves that nothing else changes. `assumed`: it holds if what the note says holds."""


@dataclass(frozen=True)
class Splice:
    """Put `text` where the characters from `start` to `end` were."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Rewrite:
    """The edits of one place. `anchor` is the node that gives the site its identity and its line."""

    anchor: ast.AST
    description: str
    note: str
    splices: tuple[Splice, ...]


@dataclass(frozen=True)
class Site:
    """A place a transformation can change. The id comes from the code there, not from its line."""

    id: str
    transformation: str
    path: str
    line: int
    qualname: str
    description: str
    confidence: Confidence
    note: str


class Transformation(Protocol):
    """`claim` says in one line why the code gets faster."""

    @property
    def name(self) -> str: ...

    @property
    def claim(self) -> str: ...

    def sites(self, module: ParsedModule) -> tuple[Site, ...]:
        """Where it applies, in the order of the lines; never raises for code that parses."""
        ...

    def apply(self, text: str, site: Site) -> str:
        """The text with the site changed; it compiles. ConfigError when the site is no longer there."""
        ...


@dataclass(frozen=True)
class Rule:
    """A transformation made of a function that finds the rewrites of a module."""

    name: str
    claim: str
    find: Callable[[ParsedModule], Iterator[Rewrite]]

    def sites(self, module: ParsedModule) -> tuple[Site, ...]:
        return tuple(sorted((site for site, _ in self._found(module)), key=lambda site: (site.line, site.id)))

    def apply(self, text: str, site: Site) -> str:
        module = ParsedModule(site.path, text)
        for found, splices in self._found(module):
            if found.id == site.id:
                changed = _spliced(text, splices, module.newline)
                _check(changed, site)
                return changed
        raise ConfigError(
            f"{self.name} has no such place any more: {site.description}",
            where=f"{site.path}, {site.qualname}",
            hint="find the sites again; the code has changed since",
        )

    def _found(self, module: ParsedModule) -> list[tuple[Site, tuple[Splice, ...]]]:
        """Sites with their edits; places of one function that look alike are one site."""
        merged: dict[str, tuple[Site, tuple[Splice, ...]]] = {}
        try:
            for rewrite in self.find(module):
                site = self._site(module, rewrite)
                if site.id not in merged:
                    merged[site.id] = (site, rewrite.splices)
                    continue
                first, splices = merged[site.id]
                both = tuple(dict.fromkeys([*splices, *rewrite.splices]))
                if not _overlap(both):
                    merged[site.id] = (first, both)
        except RecursionError:  # code nested deeper than an analysis can follow is left alone
            return []
        return list(merged.values())

    def _site(self, module: ParsedModule, rewrite: Rewrite) -> Site:
        qualname = module.qualname(rewrite.anchor)
        return Site(
            id=content_id("site", self.name, module.path, qualname, ast.dump(rewrite.anchor)),
            transformation=self.name,
            path=module.path,
            line=getattr(rewrite.anchor, "lineno", 1),
            qualname=qualname,
            description=rewrite.description,
            confidence="assumed" if rewrite.note else "exact",
            note=rewrite.note,
        )


def conditions(*notes: str) -> str:
    """Several notes as one, each condition once."""
    return "; ".join(dict.fromkeys(part for note in notes for part in note.split("; ") if part))


def _overlap(splices: tuple[Splice, ...]) -> bool:
    ordered = sorted(splices, key=lambda each: (each.start, each.end))
    return any(one.end > other.start for one, other in itertools.pairwise(ordered))


def _spliced(text: str, splices: tuple[Splice, ...], newline: str) -> str:
    parts, at = [], 0
    for each in sorted(splices, key=lambda each: (each.start, each.end)):
        parts += [text[at : each.start], each.text.replace("\r\n", "\n").replace("\n", newline)]
        at = each.end
    return "".join([*parts, text[at:]])


def _check(changed: str, site: Site) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(changed, site.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise RatchetError(
            f"{site.transformation} would write code that does not compile: {error}",
            where=f"{site.path}, line {site.line}",
            hint="report this file; leave the site out",
        ) from error
