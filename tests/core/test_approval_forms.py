"""Questions and answers in the forms of agent-inbox and of LangChain: whatever comes, an answer or one typed error."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.approval_forms import as_action_requests, as_agent_inbox, read_answer, read_answers, wire_answer
from core.approvals import Answer, Approval
from core.errors import ConfigError


def question(subject: str = "p-1", **changes: Any) -> Approval:
    told: dict[str, Any] = {
        "campaign_id": "tiny-1",
        "asks": "proposal",
        "subject": subject,
        "kind": "experiment",
        "asker": "bayes",
        "title": f"experiment {subject} of bayes",
        "what": "a job",
        "why": "it may be better",
        "votes": ("novelty +0.50: far from all",),
        "risk": 0.4,
        "shown": {"config": {"x": 0.5}, "before": {"x": 0.1}},
        "without_answer": "it is rejected",
        "allowed": ("accept", "edit", "respond", "ignore"),
    }
    return Approval.make(**{**told, **changes})


ONE, TWO = question(), question("p-2")
CODE = question("p-3", kind="code", shown={"patch": "abc", "diff": "-a\n+b"}, allowed=("accept", "respond", "ignore"))


def test_the_form_of_agent_inbox() -> None:
    asked = as_agent_inbox(ONE)
    assert asked["action_request"] == {"action": "run_experiment", "args": {"x": 0.5}}
    assert asked["config"] == {
        "allow_accept": True,
        "allow_edit": True,
        "allow_respond": True,
        "allow_ignore": True,
    }
    for told in ("it may be better", "0.40 (medium)", "novelty +0.50", "it is rejected"):
        assert told in asked["description"]
    assert as_agent_inbox(CODE)["config"]["allow_edit"] is False
    assert json.loads(json.dumps(asked)) == asked


def test_the_form_of_langchain() -> None:
    asked = as_action_requests([ONE, TWO, CODE])
    assert [(a["name"], a["id"]) for a in asked["action_requests"]] == [
        ("run_experiment", ONE.id),
        ("run_experiment", TWO.id),
        ("run_code", CODE.id),
    ]
    assert asked["review_configs"] == [
        {"action_name": "run_experiment", "allowed_decisions": ["approve", "edit", "respond", "reject"]},
        {"action_name": "run_code", "allowed_decisions": ["approve", "respond", "reject"]},
    ]
    assert json.loads(json.dumps(asked)) == asked


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ({"type": "accept", "args": None}, Answer(kind="accept")),
        ({"type": "accept", "args": {"action": "run_experiment", "args": {"x": 0.5}}}, Answer(kind="accept")),
        ({"type": "ignore", "args": None}, Answer(kind="ignore")),
        ({"type": "response", "args": "smaller"}, Answer(kind="respond", text="smaller")),
        ({"type": "edit", "args": {"action": "run", "args": {"x": 1}}}, Answer(kind="edit", config={"x": 1})),
        ({"type": "edit", "args": {"x": 1}}, Answer(kind="edit", config={"x": 1})),
        ({"type": "approve"}, Answer(kind="accept")),
        ({"type": "edit", "edited_action": {"name": "n", "args": {"x": 1}}}, Answer(kind="edit", config={"x": 1})),
        ({"type": "reject"}, Answer(kind="ignore")),
        ({"type": "reject", "message": "smaller"}, Answer(kind="respond", text="smaller")),
        ({"type": "respond", "message": "smaller"}, Answer(kind="respond", text="smaller")),
        ({"type": "accept", "remember": "campaign"}, Answer(kind="accept", remember="campaign")),
        ({"decisions": [{"type": "approve"}]}, Answer(kind="accept")),
    ],
)
def test_answers_of_both_forms(told: Any, answer: Answer) -> None:
    assert read_answer(told, ONE) == answer


def test_several_answers_by_id_in_order_or_as_decisions() -> None:
    yes, no = Answer(kind="accept"), Answer(kind="ignore")
    wanted = {ONE.id: yes, TWO.id: no}
    assert read_answers({ONE.id: {"type": "accept"}, TWO.id: {"type": "ignore"}}, [ONE, TWO]) == wanted
    assert read_answers([{"type": "accept"}, {"type": "ignore"}], [ONE, TWO]) == wanted
    assert read_answers({"decisions": [{"type": "approve"}, {"type": "reject"}]}, [ONE, TWO]) == wanted
    assert read_answers({TWO.id: {"type": "ignore"}}, [ONE, TWO]) == {TWO.id: no}
    assert read_answers({"type": "accept"}, [ONE]) == {ONE.id: yes}
    with pytest.raises(ConfigError, match="not a question that waits"):
        read_answers({"a-unknown": {"type": "accept"}}, [ONE, TWO])
    with pytest.raises(ConfigError, match="1 answers came to 2 questions"):
        read_answers({"decisions": [{"type": "approve"}]}, [ONE, TWO])


@pytest.mark.parametrize(
    "answer",
    [
        Answer(kind="accept"),
        Answer(kind="ignore"),
        Answer(kind="respond", text="smaller"),
        Answer(kind="edit", config={"x": 1.5, "args": 1}),
    ],
)
def test_an_answer_comes_back_as_it_went_out(answer: Answer) -> None:
    told = json.loads(json.dumps(wire_answer(ONE.model_copy(update={"answer": answer}))))
    assert read_answer(told, ONE) == answer


words = st.sampled_from(["accept", "approve", "edit", "response", "respond", "ignore", "reject", "type", "args", "x"])
anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), words, st.text(), st.text(st.characters()), st.binary()
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.text(max_size=4), st.sampled_from(["type", "args", "edited_action", "message", "decisions"])),
            inner,
            max_size=4,
        ),
        st.dictionaries(st.integers(), inner, max_size=2),
    ),
    max_leaves=12,
)
shaped = st.fixed_dictionaries(
    {"type": words},
    optional={"args": anything, "edited_action": anything, "message": anything, "remember": anything},
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(anything, shaped, st.lists(shaped, max_size=2), st.fixed_dictionaries({ONE.id: shaped})))
@example({"type": "respond", "args": "\ud800"})
@example({"type": "edit", "args": {"x": "\ud800"}})
@example({"type": "edit", "args": {"x": float("nan")}})
@example({"\ud800": 1})
def test_whatever_comes_is_an_answer_or_one_typed_error(told: Any) -> None:
    answers: dict[str, Answer] = {}
    with contextlib.suppress(ConfigError):
        answers = read_answers(told, [ONE])
    for name, answer in answers.items():
        assert name == ONE.id
        assert Answer.model_validate_json(answer.model_dump_json()).kind == answer.kind
