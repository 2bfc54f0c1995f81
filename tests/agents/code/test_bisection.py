"""Finding guilty parts by questions: always right, few questions, and the same again from the answers alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.code.bisection import Bisection


def searched(search: Bisection, passes: Callable[[frozenset[int]], bool]) -> Bisection:
    seen: set[frozenset[int]] = set()
    while (question := search.question) is not None:
        assert question not in seen
        seen.add(question)
        search = search.tell(passes(question))
    return search


@given(st.integers(1, 24), st.data())
@settings(max_examples=200, deadline=None)
def test_single_guilty_parts_are_found(size: int, data: st.DataObject) -> None:
    guilty = data.draw(st.frozensets(st.integers(0, size - 1), min_size=1, max_size=4))
    done = searched(Bisection(size), lambda subset: not subset & guilty)
    assert done.guilty == guilty


@given(st.integers(2, 16), st.data())
@settings(max_examples=200, deadline=None)
def test_what_is_kept_passes_and_nothing_more_can_be_kept(size: int, data: st.DataObject) -> None:
    """Failures by several parts together, which are monotone: more parts never help."""
    groups = data.draw(
        st.lists(st.frozensets(st.integers(0, size - 1), min_size=1, max_size=3), min_size=1, max_size=3)
    )

    def passes(subset: frozenset[int]) -> bool:
        return not any(group <= subset for group in groups)

    done = searched(Bisection(size), passes)
    assert passes(done.kept)
    assert all(not passes(done.kept | {at}) for at in done.guilty)


@given(st.integers(1, 10), st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_any_tester_is_survived(size: int, seed: int) -> None:
    """A test that obeys no rule at all, such as a flaky one: what is kept is still something that passed."""
    passed = {frozenset[int]()}

    def passes(subset: frozenset[int]) -> bool:
        answer = hash((seed, subset)) % 3 == 0
        if answer:
            passed.add(subset)
        return answer

    done = searched(Bisection(size), passes)
    assert done.kept in passed
    assert len(done.answers) <= 2**size


@given(st.integers(1, 16), st.data())
@settings(max_examples=60, deadline=None)
def test_it_resumes_from_its_answers(size: int, data: st.DataObject) -> None:
    guilty = data.draw(st.frozensets(st.integers(0, size - 1), min_size=1, max_size=3))
    done = searched(Bisection(size), lambda subset: not subset & guilty)
    cut = data.draw(st.integers(0, len(done.answers)))
    again = searched(Bisection(size, answers=done.answers[:cut]), lambda subset: not subset & guilty)
    assert again == done


@given(st.integers(2, 12), st.data())
@settings(max_examples=100, deadline=None)
def test_every_question_holds_what_its_parts_need(size: int, data: st.DataObject) -> None:
    needs = {at: data.draw(st.frozensets(st.integers(0, at - 1), max_size=2)) for at in range(1, size)}
    guilty = data.draw(st.integers(0, size - 1))

    def passes(subset: frozenset[int]) -> bool:
        assert all(needs.get(at, frozenset()) <= subset for at in subset)
        return guilty not in subset

    done = searched(Bisection(size, needs), passes)
    above = {guilty}
    for at in range(size):
        if needs.get(at, frozenset()) & above:
            above.add(at)
    assert done.guilty == above


def test_one_of_many_takes_few_questions() -> None:
    counts = [len(searched(Bisection(64), lambda subset, g=guilty: g not in subset).answers) for guilty in range(64)]
    assert max(counts) <= 7  # the binary logarithm, and the rest once


def test_it_ends_when_the_questions_are_spent() -> None:
    done = searched(Bisection(32, most=5), lambda subset: 17 not in subset)
    assert len(done.answers) == 5
    assert 17 in done.guilty
    assert done.kept


def test_no_question_is_left_to_answer() -> None:
    done = searched(Bisection(1), lambda subset: False)
    assert done.guilty == {0}
    with pytest.raises(ValueError, match="over"):
        done.tell(True)
