"""Which parts of a failed change are guilty, by asking of few subsets whether they pass.

The search grows a set K that passes, and halves what cannot be added to it whole:

    K ∪ c passes              →  K becomes K ∪ c
    it fails, and |c| > 1     →  try the halves of c one after the other
    it fails, and |c| = 1     →  c is guilty beside K, and is left out

After the first guilty part all that is left is tried at once, for most failures have one cause.  In the end no part can
be added to K; one guilty part among n takes about log₂ n questions.  This is delta debugging that maximises what
passes: A. Zeller, R. Hildebrandt, Simplifying and Isolating Failure-Inducing Input (2002); L. Kirschner, E. Soremekun,
A. Zeller, Debugging Inputs (2020), whose ddmax is the counterpart of ddmin; the halving as in U. Junker, QuickXplain
(2004).  ddmin itself, repeated on the rest until that passes, asks more as soon as two parts are guilty.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

__all__ = ["Bisection"]

Subset = frozenset[int]


@dataclass(frozen=True)
class Bisection:
    """The search among parts 0 … size - 1, as a pure function of the answers so far.

    It is taken as known that no part passes and that all together fail.  `needs` says which parts a part cannot do
    without; every subset asked about is complete in that.  Nothing is asked twice, nor what holds a set that failed.
    With `most` questions asked it ends with what it knows.
    """

    size: int
    needs: Mapping[int, Subset] = field(default_factory=dict)
    answers: tuple[bool, ...] = ()
    most: int | None = None

    @property
    def question(self) -> Subset | None:
        """The subset to try next; None when the search is over."""
        return self._state[0]

    @property
    def kept(self) -> Subset:
        """The largest subset that has passed; the final one when the search is over."""
        return self._state[1]

    @property
    def guilty(self) -> Subset:
        """All parts that are not kept."""
        return frozenset(range(self.size)) - self.kept

    def tell(self, passed: bool) -> Bisection:
        """The search with the answer to its question.  Raises ValueError when it has none."""
        if self.question is None:
            raise ValueError("the search is over: it has no question")
        return replace(self, answers=(*self.answers, passed))

    @cached_property
    def _state(self) -> tuple[Subset | None, Subset]:
        failed = {frozenset(range(self.size))}
        kept: Subset = frozenset()
        told = iter(self.answers)
        search = self._search()
        try:
            question = next(search)
            while True:
                answer = False if any(each <= question for each in failed) else next(told, None)
                if answer is None:
                    over = self.most is not None and len(self.answers) >= self.most
                    return None if over else question, kept
                if answer:
                    kept = question
                else:
                    failed.add(question)
                question = search.send(answer)
        except StopIteration:
            return None, kept

    def _search(self) -> Generator[Subset, bool, None]:
        kept: Subset = frozenset()
        blocks = [list(range(self.size))] if self.size else []
        one_cause = True
        while blocks:
            block = blocks.pop(0)
            candidate = self._closed({*kept, *block})
            if candidate == kept:
                continue
            if (yield candidate):
                kept = candidate
            elif len(block) > 1:
                blocks = [block[: len(block) // 2], block[len(block) // 2 :], *blocks]
            elif one_cause:
                one_cause = False
                left = [at for each in blocks for at in each if not self._closed({at}) & set(block)]
                blocks = [left] if left else []

    def _closed(self, chosen: Collection[int]) -> Subset:
        done: set[int] = set()
        todo = list(chosen)
        while todo:
            at = todo.pop()
            if at not in done:
                done.add(at)
                todo += self.needs.get(at, ())
        return frozenset(done)
