"""A question on a terminal of any width, and whatever a person types: an answer, a wish, or one error."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.approvals import Answer, Approval
from core.errors import RatchetError, UsageError
from service.approving import help_line, left, lines, read_typed


def question(**changes: Any) -> Approval:
    told: dict[str, Any] = {
        "campaign_id": "tiny-1",
        "asks": "proposal",
        "subject": "p-1",
        "kind": "experiment",
        "asker": "bayes",
        "title": "experiment p-1 of bayes, cycle 1",
        "what": "a job runs",
        "why": "it may be better",
        "votes": ("novelty +0.50 × 1.00: far from all",),
        "risk": 0.4,
        "shown": {"config": {"x": 0.5, "kind": "a"}, "before": {"x": 0.1, "kind": "a", "old": 1}},
        "without_answer": "after 7 days it is rejected",
        "allowed": ("accept", "edit", "respond", "ignore"),
    }
    return Approval.make(**{**told, **changes})


LOW, MEDIUM = question(risk=0.1), question()
CODE = question(kind="code", shown={"patch": "abc", "diff": "-a\n" + "+b\n" * 99}, allowed=("accept", "ignore"))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a", Answer(kind="accept")),
        ("YES", Answer(kind="accept")),
        ("a campaign", Answer(kind="accept", remember="campaign")),
        ("accept project", Answer(kind="accept", remember="project")),
        ("e x=0.25", Answer(kind="edit", config={"x": 0.25, "kind": "a"})),
        ("edit x=1 kind=b", Answer(kind="edit", config={"x": 1, "kind": "b"})),
        ("r keep x below 0.5", Answer(kind="respond", text="keep x below 0.5")),
        ("i", Answer(kind="ignore")),
        ("no too risky", Answer(kind="ignore", text="too risky")),
    ],
)
def test_what_a_person_types(text: str, answer: Answer) -> None:
    assert read_typed(f"  {text} ", MEDIUM).answer == answer


def test_an_empty_line_is_a_yes_at_low_risk_only() -> None:
    assert read_typed("", LOW).answer == Answer(kind="accept")
    for risky in (MEDIUM, question(risk=0.9)):
        assert (read_typed(" \n", risky).answer, read_typed("", risky).wish) == (None, "nothing")


def test_wishes_and_what_is_no_answer() -> None:
    assert [read_typed(word, MEDIUM).wish for word in ("e", "p", "?", "help")] == ["editor", "park", "help", "help"]
    for odd, asked in (
        ("perhaps", MEDIUM),
        ("e x", MEDIUM),
        ("r", MEDIUM),
        ("a ever", MEDIUM),
        ("e", CODE),
        ("r no", CODE),
    ):
        with pytest.raises(UsageError) as error:
            read_typed(odd, asked)
        assert error.value.hint


def test_a_question_whole_and_in_short() -> None:
    shown = "\n".join(lines(MEDIUM, 80, now=0.0))
    for part in (MEDIUM.id, "medium risk (0.40)", "0.1 → 0.5", "1 → not used", "novelty +0.50", "no limit"):
        assert part in shown
    assert "69 more lines" not in "\n".join(lines(CODE, 80, whole=True))
    assert len(lines(CODE, 80, whole=True)) > 100
    assert lines(CODE, 80)[-4].strip() == "… 70 more lines"
    answered = MEDIUM.model_copy(update={"state": "answered", "answer": Answer(kind="ignore", by="ann", door="cli")})
    assert "ignore by ann (cli)" in "\n".join(lines(answered, 80))
    assert help_line(CODE) == "a(ccept) [campaign|project] · i(gnore) [reason] · p(ark) · ?"
    assert (left(None, 0), left(50, 0), left(7200, 0), left(5 * 86400, 0)) == (
        "no limit",
        "50 s left",
        "2.0 h left",
        "5.0 days left",
    )


text = st.text(st.characters(), max_size=200)


@settings(max_examples=80, deadline=None)
@given(
    text,
    text,
    st.dictionaries(text, st.one_of(text, st.floats(), st.integers(), st.none()), max_size=3),
    st.integers(1, 200),
)
@example("\x1b[2J", "\u202e", {"diff": "\x1b]0;t\x07" * 40}, 60)
def test_no_line_is_wider_than_the_terminal_or_moves_its_cursor(
    title: str, why: str, shown: dict[str, Any], width: int
) -> None:
    asked = MEDIUM.model_copy(update={"title": title, "why": why, "votes": (why,), "shown": {**shown, "config": shown}})
    for line in lines(asked, width, now=0.0):
        assert len(line) <= max(width, 40)
        assert not any(ord(character) < 32 or ord(character) == 127 for character in line)


@settings(max_examples=200, deadline=None)
@given(st.one_of(text, st.tuples(st.sampled_from("aeripn?"), text).map(" ".join)))
@example("e x=2026-11-30")
@example("e x=[[[[")
@example("e x=!!python/object:os.system")
def test_whatever_is_typed_is_an_answer_a_wish_or_one_error(typed: str) -> None:
    for asked in (LOW, MEDIUM, CODE):
        with contextlib.suppress(RatchetError):
            found = read_typed(typed, asked)
            assert (found.answer is None) != (found.wish == "")
