"""Words of prose and of identifiers brought to one form, so that they can be compared.

Notation: a *word* is a run of letters of prose in lower case; a *stem* is what is left of it without inflection; a
*part* is one word of an identifier (`readLine`, `read_line` and `readline` have the parts read and line).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from functools import lru_cache

__all__ = [
    "STOP_WORDS",
    "common_prefix",
    "content",
    "identifier_parts",
    "is_identifier_like",
    "segment",
    "sentences",
    "stem",
    "words",
]

_WORD = re.compile(r"[A-Za-z][A-Za-z']*")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_]+")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=[A-Z`*\"'(\[]|$)")

STOP_WORDS = frozenset(
    [
        "a", "about", "above", "after", "again", "against", "all", "also", "am", "an", "and", "any", "are", "as",
        "at", "be", "because", "been", "before", "being", "below", "between", "both", "but", "by", "can", "cannot",
        "could", "did", "do", "does", "doing", "done", "down", "during", "e", "each", "eg", "either", "else", "etc",
        "even", "every", "few", "for", "from", "further", "g", "get", "gets", "given", "had", "has", "have",
        "having", "he", "her", "here", "him", "his", "how", "however", "i", "ie", "if", "in", "instead", "into",
        "is", "it", "its", "itself", "just", "least", "less", "let", "like", "may", "me", "might", "more", "most",
        "must", "my", "near", "need", "needs", "no", "nor", "not", "now", "of", "off", "on", "once", "one", "only",
        "onto", "or", "other", "otherwise", "our", "out", "over", "own", "per", "rather", "s", "same", "see",
        "shall", "she", "should", "since", "so", "some", "still", "such", "t", "than", "that", "the", "their",
        "them", "then", "there", "these", "they", "this", "those", "though", "through", "thus", "to", "too",
        "under", "until", "up", "upon", "us", "use", "used", "uses", "using", "via", "was", "way", "we", "well",
        "were", "what", "when", "where", "whether", "which", "while", "who", "whom", "whose", "why", "will", "with",
        "within", "without", "would", "yet", "you", "your"
    ]
)  # fmt: skip

_IRREGULAR = {
    "found": "find", "written": "write", "wrote": "write", "built": "build", "sent": "send", "made": "make",
    "ran": "run", "took": "take", "taken": "take", "gave": "give", "given": "give", "held": "hold", "kept": "keep",
    "read": "read", "left": "left", "indices": "index", "matrices": "matrix", "vertices": "vertex", "children": "child",
    "threw": "throw", "thrown": "throw", "caught": "catch", "began": "begin", "chosen": "choose", "drawn": "draw",
    "done": "do", "does": "do", "has": "have", "lost": "lose", "bound": "bind", "sorted": "sort", "false": "false",
    "queries": "query", "axes": "axis", "statuses": "status", "status": "status", "class": "class", "this": "this",
    "alias": "alias", "bias": "bias", "us": "us", "is": "is", "was": "be", "are": "be", "were": "be", "hidden": "hide",
    "string": "string", "strings": "string", "thing": "thing", "nothing": "nothing", "everything": "everything",
    "something": "something", "during": "during", "embed": "embed", "need": "need", "needed": "need", "feed": "feed",
    "seed": "seed", "speed": "speed", "exceed": "exceed", "bed": "bed", "red": "red", "bring": "bring", "king": "king",
    "ring": "ring", "spring": "spring", "encoding": "encode", "encoder": "encode", "decoder": "decode",
}  # fmt: skip

_SUFFIXES = (
    "izations", "ization", "ifications", "ification", "ations", "ation", "ators", "ator", "itions", "ition",
    "ctions", "ction", "sions", "sion", "ments", "ment", "ings", "ing", "edly", "ized", "izes", "izing", "izer", "ize",
    "ies", "ied", "ers", "er", "ors", "or", "ed", "es", "ly", "s",
)  # fmt: skip
_KEEP = {"ctions": "ct", "ction": "ct", "ies": "y", "ied": "y", "ifications": "if", "ification": "if", "itions": "it",
         "ition": "it"}  # fmt: skip
_NOT_ATE = frozenset({"format", "repeat", "concat", "defeat"})
_DOUBLED = frozenset("bdgmnprt")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of one lower-case word: `creates`, `created`, `creating`, `creation`, `creator` → `creat`.

    A light suffix stripper, not Porter: it serves comparison only, so a stem need not be a word.
    """
    if word in _IRREGULAR:
        word = _IRREGULAR[word]
    elif len(word) > 3 and not word.endswith(("ss", "us", "is")):
        for suffix in _SUFFIXES:
            base = len(word) - len(suffix)
            if word.endswith(suffix) and base >= (4 if "ment" in suffix else 3 if len(suffix) > 1 else 2):
                if suffix in ("or", "er", "ors", "ers") and base < 4:
                    break
                word = word[:base] + _KEEP.get(suffix, "")
                if suffix in ("ing", "ed", "er", "ers", "ings") and word[-1] == word[-2:-1] and word[-1] in _DOUBLED:
                    word = word[:-1]
                break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 5 and word.endswith("at") and word not in _NOT_ATE:
        word = word[:-2]
    elif word == "cre":
        word = "creat"
    if len(word) > 3 and word.endswith("y"):
        word = word[:-1] + "i"
    return word


def words(text: str) -> list[str]:
    """Lower-case words of `text` in order; possessives lose their `'s`."""
    return [match.lower().split("'")[0] for match in _WORD.findall(text)]


@lru_cache(maxsize=65536)
def identifier_parts(name: str) -> tuple[str, ...]:
    """Parts of an identifier in order, lower case: `HTTPServer_startAll2` → `http, server, start, all`."""
    return tuple(part.lower() for part in _PART.findall(name))


def segment(part: str, vocabulary: Container[str]) -> tuple[str, ...]:
    """`part` cut into two or three known words when it is not one itself (`copytree` → copy, tree), else `(part,)`.

    A piece has at least three letters and its stem is in `vocabulary`; the cut with the longest first piece wins.
    """
    if len(part) < 6 or stem(part) in vocabulary:
        return (part,)
    for cut in range(len(part) - 3, 2, -1):
        head, tail = part[:cut], part[cut:]
        if stem(head) in vocabulary and stem(tail) in vocabulary:
            return head, tail
    return (part,)


def is_identifier_like(token: str) -> bool:
    """Whether a token of prose can only be code: it has an underscore inside, or a capital after a small letter."""
    return bool(re.fullmatch(r"_*[A-Za-z]\w*", token)) and (
        "_" in token.strip("_") or bool(re.search(r"[a-z0-9][A-Z]", token))
    )


def common_prefix(one: str, other: str) -> int:
    """Length of the prefix that two words share."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length


def sentences(text: str) -> list[str]:
    """`text` cut at full stops followed by a capital or an opening mark; empty pieces dropped."""
    return [piece.strip() for piece in _SENTENCE_END.split(text) if piece.strip(" .;")]


def content(text_words: Iterable[str]) -> list[str]:
    """Stems of the words that are not stop words, in order, with repeats."""
    return [stem(word) for word in text_words if word not in STOP_WORDS and len(word) > 1]
