"""Learned tables: how rare a word is in documentation, and which words of prose go with which words of code.

`data/lexicon.json` was learned from documented functions of installed packages by `benchmarks/feedback/lexicon.py`
(IBM model 1); it holds statistics of stems only, no text of any package.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from importlib.resources import files

__all__ = ["Lexicon", "default_lexicon"]


class Lexicon:
    """Look-ups over the learned tables.

    `idf[w]`: log(documents / documents with w), nats. `background[w]`: log probability of w among all summary words.
    `translations[c][w]`: t(w|c).
    """

    def __init__(
        self,
        idf: dict[str, float],
        background: dict[str, float],
        translations: dict[str, dict[str, float]],
        param_likeness: dict[str, float],
        documents: int,
    ) -> None:
        self._param_likeness = param_likeness
        self.known = idf
        self.translations = translations
        self._background = background
        self._rarest_idf = math.log(max(documents, 2))
        self._rarest = min(background.values(), default=-12.0)

    def idf(self, word: str) -> float:
        return self.known.get(word, self._rarest_idf)

    def background(self, word: str) -> float:
        return self._background.get(word, self._rarest)

    def param_likeness(self, word: str) -> float:
        """2.5 + log(signatures with w as a parameter / texts with w), at least 0: 0 for words of plain prose."""
        return max(0.0, 2.5 + self._param_likeness.get(word, -2.5))

    def translation(self, code_word: str, word: str) -> float:
        """t(word | code_word), 0 when the pair was not learned."""
        return self.translations.get(code_word, {}).get(word, 0.0)


@lru_cache(maxsize=1)
def default_lexicon() -> Lexicon:
    """The lexicon shipped with the package, read once."""
    return Lexicon(**json.loads(files("agents.feedback").joinpath("data/lexicon.json").read_text("utf-8")))
