"""Tokens as items: names of the campaign, numbers, ranges, and the words that steer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agents.guidance.lexicon import FILL, PHRASES
from agents.guidance.tokens import Token
from agents.guidance.vocabulary import Vocabulary

__all__ = ["Item", "items_of"]

SIGNS: dict[str, tuple[str, Any]] = {
    "<": ("compare", "<"),
    "<=": ("compare", "<="),
    "≤": ("compare", "<="),
    ">": ("compare", ">"),
    ">=": ("compare", ">="),
    "≥": ("compare", ">="),
    "!=": ("negation", True),
    "<>": ("negation", True),
    "≠": ("negation", True),
    "=": ("equal", True),
    "==": ("equal", True),
    ":": ("equal", True),
    ",": ("separator", ","),
    "&": ("separator", "and"),
    "?": ("question", True),
}
DASHES = ("-", "–", "—", "..", "...", "…")
LONGEST = max(map(len, PHRASES))


@dataclass(frozen=True)
class Item:
    """`kind`: name, number, range, unknown, a sign of `SIGNS`, or a word of the lexicon; `start` and `end` in the text.

    The value of a name is the tuple of things it may be, of a number (value, whether it is percent), of a range two of
    those.
    """

    kind: str
    value: Any
    start: int
    end: int
    text: str


def items_of(tokens: Sequence[Token], vocabulary: Vocabulary) -> list[Item]:
    """The items of one sentence, without those that say nothing."""
    return _ranges(list(_items(tokens, vocabulary)))


def _items(tokens: Sequence[Token], vocabulary: Vocabulary) -> Iterator[Item]:
    at = 0
    while at < len(tokens):
        length, rank, things = vocabulary.match(tokens, at)
        size, entry = _phrase(tokens, at)
        if things and (length > size or (length == size and rank == 2)):
            yield _item("name", things, tokens[at : at + length])
            at += length
        elif entry is not None:
            yield _item(*entry, tokens[at : at + size])
            at += size
        else:
            token = tokens[at]
            at += 1
            if token.kind == "number" and not token.glued:
                yield _item("number", (token.value, token.text.endswith("%")), [token])
            elif token.kind == "sign" and token.text in SIGNS:
                yield _item(*SIGNS[token.text], [token])
            elif token.text in ("+", "[", "]", "(", ")", "-", *DASHES):
                yield _item(token.text if token.text not in DASHES else "dash", True, [token])
            elif token.kind == "word" and token.word in FILL and not token.glued:
                yield _item("fill", token.word, [token])
            elif token.text not in ("!", ".", "*", "#"):
                yield _item("unknown", token.text, [token])


def _phrase(tokens: Sequence[Token], at: int) -> tuple[int, tuple[str, Any] | None]:
    """How many tokens from `at` on are a phrase of the lexicon, and which; (0, None) where none is."""
    for length in range(min(LONGEST, len(tokens) - at), 0, -1):
        taken = tokens[at : at + length]
        if any(token.kind != "word" or token.glued for token in taken):
            continue
        if at + length < len(tokens) and tokens[at + length].glued:
            continue
        entry = PHRASES.get(tuple(token.word for token in taken))
        number_follows = at + length < len(tokens) and tokens[at + length].kind == "number"
        if entry is not None and not (entry[0] == "or_more" and number_follows):  # `and above 3` is another clause
            return length, entry
    return 0, None


def _item(kind: str, value: Any, tokens: Sequence[Token]) -> Item:
    text = " ".join(token.text for token in tokens)
    return Item(kind, value, tokens[0].start, tokens[-1].end, text)


def _ranges(items: list[Item]) -> list[Item]:
    """Two numbers with `to`, `and` after `between`, a dash or brackets around them, as one range; fill is left out."""
    out: list[Item] = []
    at = 0
    while at < len(items):
        found = _range(items, at)
        if found is not None:
            item, at = found
            out.append(item)
            continue
        item = items[at]
        at += 1
        if item.kind == "+" and out and out[-1].kind == "number":
            out.append(Item("or_more", ">=", item.start, item.end, item.text))
        elif item.kind not in ("fill", "[", "]", "(", ")", "dash", "+"):
            out.append(item)
    return out


def _range(items: Sequence[Item], at: int) -> tuple[Item, int] | None:
    """The range that begins at `at`, and where it ends."""
    first, opened = items[at], False
    start = at
    if first.text.lower() in ("between", "from", "within") or first.kind in ("[", "("):
        opened = True
        start += 1
        if start < len(items) and items[start].kind in ("[", "("):
            start += 1
    if start + 2 >= len(items) or items[start].kind != "number" or items[start + 2].kind != "number":
        return None
    low, link, high = items[start : start + 3]
    joined = link.kind == "dash" or (link.kind == "fill" and link.value == "to")
    if not joined and not (opened and link.kind == "separator" and link.value in ("and", ",")):
        return None
    end = start + 3
    if end < len(items) and items[end].kind in ("]", ")"):
        end += 1
    a, b = low.value, high.value
    if b[1] and not a[1] and link.kind != "separator":
        a = (a[0], True)  # 10-30% is from 10% on
    text = f"{low.text} to {high.text}"
    return Item("range", (a, b), first.start, items[end - 1].end, text), end
