"""The names that a sentence may speak of: those of the campaign, and what people call them for short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from agents.guidance.tokens import Token, split_words
from core.errors import nearest
from core.guidance import Target
from search.parameters import Choice, Patch, Subset
from search.space import Space

__all__ = ["Thing", "Vocabulary"]

SHORT = {
    "lr": ("learning", "rate"),
    "eta": ("learning", "rate"),
    "wd": ("weight", "decay"),
    "bs": ("batch", "size"),
    "batchsize": ("batch", "size"),
    "optimiser": ("optimizer",),
    "optim": ("optimizer",),
    "reg": ("regularization",),
    "regularisation": ("regularization",),
    "dim": ("dimension",),
}
"""What names are often written as, in campaigns and by people."""

SUBWORD = 4
"""Letters that a single word of a longer name needs, to stand for it."""


@dataclass(frozen=True)
class Thing:
    """Something that can be named.  An option has the parameter's `name` and its own `option`."""

    target: Target | Literal["option"]
    name: str
    option: Any = None

    def __str__(self) -> str:
        return f"{self.name} {self.option}" if self.target == "option" else f"{self.target} {self.name}"


@dataclass(frozen=True)
class Vocabulary:
    """The names of one campaign.  `metrics` with their goals, maximize or minimize."""

    space: Space | None = None
    metrics: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()

    def match(self, tokens: Sequence[Token], at: int) -> tuple[int, int, tuple[Thing, ...]]:
        """How many tokens from `at` on are a name, how sure that is (2 whole, 1 for short), and what it may name.

        (0, 0, ()) where there is none.  The longest wins; a name never ends in the middle of a glued one.
        """
        if tokens[at].glued:
            return 0, 0, ()
        most = min(self._longest, len(tokens) - at)
        for length in range(most, 0, -1):
            taken = tokens[at : at + length]
            if any(token.kind == "sign" for token in taken):
                continue
            if at + length < len(tokens) and tokens[at + length].glued:
                continue
            if len(taken) == 1 and taken[0].kind == "number":
                continue
            words = tuple(token.word or token.text.lower() for token in taken)
            found = self._phrases.get(words, {})
            for rank in (2, 1):
                things = [thing for thing in found.get(rank, ()) if _same_case(thing, taken)]
                if things:
                    return length, rank, tuple(dict.fromkeys(things))
        return 0, 0, ()

    def nearest_to(self, word: str) -> str:
        """What to try instead of a word that is no name."""
        return nearest(word, self.names)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name there is."""
        options = [str(t.option) for t in self._things if t.target == "option" and isinstance(t.option, str)]
        return tuple(dict.fromkeys([*(t.name for t in self._things), *options]))

    @cached_property
    def _things(self) -> list[Thing]:
        things = [Thing("metric", name) for name in self.metrics]
        for target, names in (("file", self.files), ("function", self.functions), ("operator", self.operators)):
            things += [Thing(target, name) for name in names]  # type: ignore[arg-type]  # one of the targets
        for name, parameter in self.space.root.items() if self.space is not None else ():
            if isinstance(parameter, Patch):
                continue
            things.append(Thing("parameter", name))
            if isinstance(parameter, Choice):
                options = parameter.items if isinstance(parameter, Subset) else parameter.options
                things += [Thing("option", name, option) for option in options if isinstance(option, str)]
        return things

    @cached_property
    def _phrases(self) -> dict[tuple[str, ...], dict[int, list[Thing]]]:
        """Words → rank → what they may name."""
        phrases: dict[tuple[str, ...], dict[int, list[Thing]]] = defaultdict(lambda: defaultdict(list))
        for thing in self._things:
            whole = split_words(str(thing.option) if thing.target == "option" else thing.name)
            if not whole:
                continue
            phrases[whole][2].append(thing)
            for words in _shortened(thing, whole):
                if words != whole:
                    phrases[words][1].append(thing)
        return phrases

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._phrases), default=0)


def _shortened(thing: Thing, whole: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """What else a thing is called."""
    if thing.target == "file":
        yield split_words(thing.name.rpartition("/")[2])
    if thing.target == "function":
        yield split_words(thing.name.rpartition(".")[2])
    if thing.target not in ("parameter", "metric"):
        return
    full = tuple(part for word in whole for part in SHORT.get(word, (word,)))
    spelled = {whole, full}
    short = {words: alias for alias, words in reversed(SHORT.items())}
    for start in range(len(full)):
        for end in range(start + 1, len(full) + 1):
            part = full[start:end]
            if part in short:
                spelled.add((*full[:start], short[part], *full[end:]))
            # a piece of a longer name stands for it where no other has the same
            if len(part) < len(full) and (len(part) > 1 or len(part[0]) >= SUBWORD):
                yield part
                if part in short:
                    yield (short[part],)
    for alias, words in SHORT.items():
        if words == full:
            spelled.add((alias,))
    if len(full) > 1:
        spelled.add(("".join(word[0] for word in full),))
        spelled.add(("".join(full),))
    yield from spelled


def _same_case(thing: Thing, taken: Sequence[Token]) -> bool:
    """A name of one letter is meant only in its own case, or where it could be no word of English."""
    name = str(thing.option) if thing.target == "option" else thing.name
    if len(name) > 1:
        return True
    return taken[0].text == name or taken[0].text.lower() not in ("a", "i")
