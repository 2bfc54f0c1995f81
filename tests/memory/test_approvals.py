"""Questions and answers in the ledger: the first answer counts, each thing happens once, and times are kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.approvals import Answer, Approval, tier_of
from core.errors import ApprovalError, ConfigError, NotFoundError
from memory.approvals import Approvals
from memory.ledger import Ledger

ROOT = Path(__file__).parents[2]


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def ledger(tmp_path: Path, clock: Hand) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db", clock=clock) as opened:
        yield opened


@pytest.fixture
def approvals(ledger: Ledger) -> Approvals:
    return Approvals(ledger)


def question(**changes: object) -> Approval:
    told = {
        "campaign_id": "tiny-1",
        "cycle": 2,
        "asks": "proposal",
        "subject": "p-1",
        "kind": "experiment",
        "asker": "bayes",
        "title": "run p-1 of bayes",
        "what": "a job",
        "why": "it may be better",
        "risk": 0.4,
        "shown": {"config": {"x": 0.5}},
        "without_answer": "it is rejected",
    }
    return Approval.make(**{**told, **changes})  # type: ignore[arg-type]


def action(**changes: object) -> Approval:
    told = {"asks": "action", "subject": "MEMORY_DELETE:1", "kind": "MEMORY_DELETE", "campaign_id": "", "cycle": 0}
    return question(**{**told, "allowed": ("accept", "ignore"), **changes})


YES, NO = Answer(kind="accept"), Answer(kind="ignore")


def say(approvals: Approvals, asked: Approval, answer: Answer = YES, **changes: str) -> Approval:
    told = {"by": "ann", "door": "cli", "shown_hash": asked.shown_hash, **changes}
    return approvals.answer(asked.id, answer, **told)


def kinds(ledger: Ledger) -> list[str]:
    return [event.type for event in ledger.events()]


def test_a_question_asked_again_is_the_same_question(approvals: Approvals, ledger: Ledger, clock: Hand) -> None:
    first = approvals.ask(question(), expire_s=60)
    clock.now += 30
    assert approvals.ask(question(), expire_s=60) == first
    assert (first.created_at, first.expires_at, first.state, first.tier) == (1000, 1060, "waiting", "medium")
    assert kinds(ledger) == ["ApprovalAsked"]
    assert [a.id for a in approvals.waiting("tiny-1")] == [first.id]
    assert approvals.waiting("other") == []
    assert approvals.get(first.id[:6]) == first


def test_the_first_answer_counts_and_says_whose_it_was(approvals: Approvals, ledger: Ledger) -> None:
    asked = approvals.ask(question())
    answered = say(approvals, asked, Answer(kind="respond", text="try a smaller x"))
    assert (answered.state, answered.answer) == (
        "answered",
        Answer(kind="respond", text="try a smaller x", by="ann", door="cli", at=1000.0),
    )
    with pytest.raises(ApprovalError, match=r"was answered: respond by ann \(cli\)") as late:
        say(approvals, asked, by="bob", door="rest")
    assert late.value.exit_code == 3
    assert approvals.get(asked.id) == answered
    assert approvals.waiting() == []
    assert kinds(ledger) == ["ApprovalAsked", "ApprovalAnswered"]


def test_an_answer_to_what_was_not_shown_is_refused(approvals: Approvals) -> None:
    asked, other = approvals.ask(question()), question(shown={"config": {"x": 0.6}})
    assert other.shown_hash != asked.shown_hash
    for stale in (other.shown_hash, "", asked.shown_hash[:-1]):
        with pytest.raises(ApprovalError, match="something else"):
            say(approvals, asked, shown_hash=stale)
    assert approvals.get(asked.id).state == "waiting"


def test_what_a_question_does_not_take_leaves_it_open(approvals: Approvals) -> None:
    asked = approvals.ask(question(allowed=("accept", "edit", "ignore")))
    with pytest.raises(ConfigError, match="cannot be answered with respond"):
        say(approvals, asked, Answer(kind="respond", text="no"))
    with pytest.raises(ConfigError, match="cannot be checked"):
        say(approvals, asked, Answer(kind="edit", config={"x": 1}))
    with pytest.raises(NotFoundError, match="no question 'a-0000'"):
        approvals.get("a-0000")
    with pytest.raises(NotFoundError):
        approvals.get("")
    assert approvals.get(asked.id).state == "waiting"


def test_an_edit_is_checked_and_kept_in_the_form_that_runs(ledger: Ledger) -> None:
    def check(asked: Approval, answer: Answer) -> Answer:
        if answer.config["x"] > 1:
            raise ConfigError("x is above 1")
        return answer.model_copy(update={"config": {"x": float(answer.config["x"])}})

    approvals = Approvals(ledger, check)
    asked = approvals.ask(question(allowed=("edit",)))
    with pytest.raises(ConfigError, match="above 1"):
        say(approvals, asked, Answer(kind="edit", config={"x": 2}))
    answered = say(approvals, asked, Answer(kind="edit", config={"x": 1}))
    assert answered.answer is not None
    assert answered.answer.config == {"x": 1.0}


def test_after_its_time_a_question_is_closed_once(approvals: Approvals, ledger: Ledger, clock: Hand) -> None:
    asked = approvals.ask(question(), expire_s=60)
    clock.now += 60
    assert approvals.get(asked.id).state == "expired"
    with pytest.raises(ApprovalError, match="has expired: it is rejected"):
        say(approvals, asked)
    assert approvals.expire() == []  # the late answer has closed it
    assert kinds(ledger) == ["ApprovalAsked", "ApprovalExpired"]
    other = approvals.ask(question(subject="p-2"), expire_s=5)
    clock.now += 5
    assert [a.id for a in approvals.expire()] == [other.id]
    assert approvals.expire() == []
    clock.now -= 100  # a clock that jumps back opens nothing again
    with pytest.raises(ApprovalError, match="has expired"):
        say(approvals, other)
    assert kinds(ledger).count("ApprovalExpired") == 2


def test_a_yes_to_an_action_holds_once_and_for_exactly_that(approvals: Approvals, ledger: Ledger, clock: Hand) -> None:
    asked = approvals.ask(action(), expire_s=60)
    with pytest.raises(ApprovalError, match="not answered yet"):
        approvals.use(asked.id, asked.shown_hash)
    say(approvals, asked)
    with pytest.raises(ApprovalError, match="a yes to something else"):
        approvals.use(asked.id, action(subject="MEMORY_DELETE:2").shown_hash)
    assert approvals.use(asked.id, asked.shown_hash).state == "used"
    with pytest.raises(ApprovalError, match="holds once"):
        approvals.use(asked.id, asked.shown_hash)
    assert kinds(ledger).count("ApprovalUsed") == 1

    again = approvals.ask(action(), expire_s=60, again=True)
    assert (again.state, again.nonce) == ("waiting", 2)
    assert again.id != asked.id
    with pytest.raises(ApprovalError, match="something else"):
        say(approvals, again, shown_hash=asked.shown_hash)  # the old yes, replayed
    say(approvals, again)
    clock.now += 60
    with pytest.raises(ApprovalError, match="has expired"):
        approvals.use(again.id, again.shown_hash)


def test_a_no_to_an_action_is_no_yes_and_a_yes_to_a_proposal_is_none(approvals: Approvals) -> None:
    refused, proposal = approvals.ask(action()), approvals.ask(question())
    say(approvals, refused, NO)
    with pytest.raises(ApprovalError, match="answered with no, by ann"):
        approvals.use(refused.id, refused.shown_hash)
    say(approvals, proposal)
    with pytest.raises(ApprovalError, match="something else"):
        approvals.use(proposal.id, proposal.shown_hash)


def test_a_remembered_yes_answers_the_like_until_it_is_forgotten(approvals: Approvals) -> None:
    asked = approvals.ask(question())
    assert approvals.rule_for(asked) is None
    say(approvals, asked, Answer(kind="accept", remember="campaign"))
    (rule,) = approvals.rules()
    assert (rule.scope, rule.campaign_id, rule.proposer, rule.max_risk, rule.by) == (
        "campaign",
        "tiny-1",
        "bayes",
        0.4,
        "ann",
    )
    assert approvals.rule_for(question(subject="p-9", risk=0.4)) == rule
    for unlike in ({"risk": 0.41}, {"asker": "evo"}, {"kind": "code"}, {"campaign_id": "tiny-2"}, {"asks": "action"}):
        assert approvals.rule_for(question(**unlike)) is None, unlike
    other = approvals.ask(question(subject="p-2"))
    say(approvals, other, Answer(kind="accept", remember="project"))
    assert approvals.rule_for(question(campaign_id="tiny-2")) is not None
    assert len(approvals.rules("tiny-2")) == 1
    for known in approvals.rules():
        approvals.forget(known.id, by="ann")
    assert approvals.rules() == []
    with pytest.raises(NotFoundError, match="no remembered answer"):
        approvals.forget(rule.id, by="ann")


def test_a_yes_to_an_action_cannot_be_remembered(approvals: Approvals) -> None:
    asked = approvals.ask(action())
    with pytest.raises(ConfigError, match="cannot be remembered"):
        say(approvals, asked, Answer(kind="accept", remember="project"))


WORKER = """
import sys
from core.approvals import Answer
from core.errors import ApprovalError
from memory.approvals import Approvals
from memory.ledger import Ledger

path, name, *ids = sys.argv[1:]
with Ledger(path) as ledger:
    approvals = Approvals(ledger)
    print("ready", flush=True)
    sys.stdin.readline()
    for one in ids:
        asked = approvals.get(one)
        try:
            approvals.answer(one, Answer(kind="accept"), by=name, door="cli", shown_hash=asked.shown_hash)
            print("won", one, flush=True)
        except ApprovalError:
            print("lost", one, flush=True)
        if asked.asks == "action":
            try:
                approvals.use(one, asked.shown_hash)
                print("used", one, flush=True)
            except ApprovalError:
                pass
"""


def test_of_two_processes_that_answer_at_once_exactly_one_wins(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        approvals = Approvals(ledger)
        asked = [approvals.ask(action(subject=f"READ:{n}")) for n in range(12)]
        ids = [one.id for one in asked]
        started = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, str(tmp_path / "ledger.db"), name, *ids],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
            for name in ("ann", "bob")
        ]
        for one in started:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in started:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        told = []
        for one in started:
            assert one.stdout is not None
            told.append(one.stdout.read().split("\n"))
            assert one.wait(timeout=100) == 0
            one.stdout.close()
            assert one.stdin is not None
            one.stdin.close()
        for wanted in ("won", "lost", "used"):
            assert sorted(line for lines in told for line in lines if line.startswith(wanted)) == sorted(
                f"{wanted} {one}" for one in ids
            )
        names = ("ann", "bob")
        for name, lines in zip(names, told, strict=True):
            for one in ids:
                answer = approvals.get(one).answer
                assert answer is not None
                assert (answer.by == name) == (f"won {one}" in lines)
        assert kinds(ledger).count("ApprovalAnswered") == kinds(ledger).count("ApprovalUsed") == len(ids)


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_risk_is_never_of_a_lower_tier(one: float, other: float) -> None:
    order = ("low", "medium", "high")
    low, high = sorted((one, other))
    assert order.index(tier_of(low)) <= order.index(tier_of(high))


@given(
    st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.floats(allow_nan=False), st.text()), max_size=4)
)
def test_the_hash_outlives_the_way_through_json(shown: dict[str, object]) -> None:
    asked = question(shown=shown)
    back = Approval.model_validate_json(asked.model_dump_json())
    assert (back.shown_hash, back.question) == (asked.shown_hash, asked.question)
    assert Approval.make(**{n: getattr(back, n) for n in back._shown() if n != "tier"}).id == asked.id
