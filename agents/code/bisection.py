"""Which parts of a failed change are guilty, by asking of few subsets whether they pass.

Notation: c the parts under suspicion, n the granularity, c_1 … c_n its slices.  ddmin narrows a failing set to one of
which no part can be spared (1-minimal):

    a slice c_i fails                →  go on in c_i with n = 2
    else a complement c - c_i fails  →  go on in it with n = max(n - 1, 2)
    else n < |c|                     →  n = min(|c|, 2n)
    else                             →  c is minimal

Source: A. Zeller, R. Hildebrandt, Simplifying and Isolating Failure-Inducing Input (2002), figure 4.  The minimal set
is dropped with all that needs it, and the rest is asked about, until it passes; then parts of a minimal set of several
are taken back one by one where that passes, for one of them may be enough to drop.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

__all__ = ["Bisection"]

Subset = frozenset[int]
Search = Generator[Subset, bool, Subset]


@dataclass(frozen=True)
class Bisection:
    """The search among parts 0 … size - 1, as a pure function of the answers so far.

    It is taken as known that no part passes and that all together fail.  `needs` says which parts a part cannot do
    without; every subset asked about is complete in that.  Nothing is asked twice, nor what earlier answers imply where
    more parts never help; but what is kept in the end has passed itself.  With `most` questions asked it ends with what
    it knows.
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
        """The largest subset that is known to pass; the final one when the search is over."""
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
        everything = frozenset(range(self.size))
        known: dict[Subset, bool] = {frozenset(): True, everything: not self.size}
        told = iter(self.answers)
        search = self._search(everything)
        question, last = next(search), False
        while True:
            answer = known.get(question) if last else _implied(question, known)
            if answer is None:
                answer = next(told, None)
                if answer is None:
                    over = self.most is not None and len(self.answers) >= self.most
                    return None if over else question, _largest(known)
                known[question] = answer
            if last:
                return None, question if answer else _largest(known)
            try:
                question = search.send(answer)
            except StopIteration as done:
                question, last = done.value, True  # what is kept must have passed itself

    def _search(self, suspects: Subset) -> Search:
        several: list[Subset] = []
        while not (yield suspects):
            guilty = yield from self._minimal(suspects)
            left = frozenset(at for at in suspects if not self._closed({at}) & guilty)
            if len(suspects - left) > 1:
                several.append(suspects - left)
            suspects = left
        for at in sorted(at for group in several for at in group):
            more = self._closed({*suspects, at})
            if more != suspects and (yield more):
                suspects = more
        return suspects

    def _minimal(self, failing: Subset) -> Search:
        """ddmin, over subsets that are complete in what they need."""
        suspects, slices = sorted(failing), 2
        while len(suspects) > 1:
            cuts = [len(suspects) * at // slices for at in range(slices + 1)]
            parts = [suspects[low:high] for low, high in pairwise(cuts)]
            rests = [sorted(set(suspects) - set(part)) for part in parts] if slices > 2 else []
            for subset in (*parts, *rests):
                complete = self._closed(subset) & failing
                if len(complete) < len(suspects) and not (yield complete):
                    slices = 2 if subset in parts else max(slices - 1, 2)
                    suspects = sorted(complete)
                    break
            else:
                if slices >= len(suspects):
                    break
                slices = min(len(suspects), 2 * slices)
        return frozenset(suspects)

    def _closed(self, chosen: Subset | set[int] | list[int]) -> Subset:
        done: set[int] = set()
        todo = list(chosen)
        while todo:
            at = todo.pop()
            if at not in done:
                done.add(at)
                todo += self.needs.get(at, ())
        return frozenset(done)


def _implied(question: Subset, known: Mapping[Subset, bool]) -> bool | None:
    """The answer if more parts never help: part of what passes passes, and what holds a failing set fails."""
    for subset, passed in known.items():
        if question <= subset if passed else subset <= question:
            return passed
    return None


def _largest(known: Mapping[Subset, bool]) -> Subset:
    return max((subset for subset, passed in known.items() if passed), key=lambda subset: (len(subset), sorted(subset)))
