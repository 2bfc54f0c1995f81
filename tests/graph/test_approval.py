"""The cycle with a person in it: who is asked under which mode, what comes of each answer, nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command
from pydantic import ValidationError
from tiny_campaign import runs
from tiny_run import ID, TinyRun, council

from core.approvals import Answer, Approval
from core.errors import ApprovalNeededError, ConfigError
from core.events import ApprovalAsked, ApprovalExpired, GuidanceGiven, ProposalRuled, RoleFailed
from graph.approvals import open_approvals
from graph.asking import Ask
from graph.campaign import context_of, open_cycle
from graph.decisions import decision_log, replay
from graph.loading import load_campaign
from graph.orchestrator import MultiAgentOrchestrator

POINTS = [[0.3, 0.6], [0.6, 0.5], [0.75, 0.5]]
"""Of low, medium and high risk, as `careful` rules."""


class Hand:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


Campaigns = Callable[..., TinyRun]


@pytest.fixture
def campaign(tmp_path: Path) -> Campaigns:
    def make(mode: object = "confirm", *, asks: bool = False, **changes: Any) -> TinyRun:
        seats = council(
            proposers=[{"use": "roles.py:fixed", "points": POINTS}],
            supervisor={"use": "roles.py:careful", "asks": asks},
        )
        return TinyRun(tmp_path, approvals=mode, **{"council": seats, **changes})

    return make


def waiting(tiny: TinyRun) -> list[Approval]:
    with tiny.ledger() as ledger:
        return open_approvals(ledger).waiting(ID)


def say(tiny: TinyRun, asked: Approval, answer: Answer) -> Approval:
    with tiny.ledger() as ledger:
        return open_approvals(ledger).answer(asked.id, answer, by="ann", door="cli", shown_hash=asked.shown_hash)


def told(tiny: TinyRun, kind: type) -> list[Any]:
    with tiny.ledger() as ledger:
        return list(ledger.events(ID, types=(kind,)))


def xs(history: Any) -> list[float]:
    return [e.config["x"] for e in history.experiments()]


YES, NO = Answer(kind="accept"), Answer(kind="ignore", text="not today")


@pytest.mark.parametrize(
    ("mode", "asks", "asked", "run"),
    [
        ("human", False, [0.3, 0.6, 0.75], []),
        ("confirm", False, [0.6, 0.75], []),
        ("auto", True, [0.3, 0.6, 0.75], []),
        ("all", True, [], [0.3, 0.6, 0.75]),
        ("never", False, [], [0.3]),
    ],
)
def test_the_mode_says_who_is_asked(campaign: Campaigns, mode: str, asks: bool, asked: list, run: list) -> None:
    tiny = campaign(mode, asks=asks)
    ending, history = tiny.run()
    assert ending.status == ("waiting" if asked else "finished")
    assert [one.shown["config"]["x"] for one in waiting(tiny)] == asked
    assert xs(history) == run  # while a question is open, nothing of the cycle runs
    if not asked and mode == "never":
        assert "approvals are `never`" in [r.ruling.reason for r in history.cycles[1].rulings.values()][-1]


def test_other_words_for_the_modes_and_no_change_of_identity(campaign: Campaigns) -> None:
    tiny = campaign("low")
    plain = load_campaign(tiny.path)
    assert plain.approvals.mode == "confirm"
    changed = load_campaign(tiny.path, {"approvals.mode": "ask", "approvals.expire_s": "2h"})
    assert (changed.approvals.mode, changed.approvals.expire_s) == ("human", 7200)
    assert changed.fingerprint() == plain.fingerprint()
    with pytest.raises(ConfigError, match=r"approvals\.mode = 'perhaps'"):
        load_campaign(tiny.path, {"approvals.mode": "perhaps"})


def test_each_answer_does_what_it_says(campaign: Campaigns) -> None:
    tiny = campaign("human")
    tiny.run()
    low, medium, high = waiting(tiny)
    assert (low.tier, medium.tier, high.tier) == ("low", "medium", "high")
    assert low.votes == ("approve +0.50 × 1.00: fine", "tally +0.50")
    assert low.without_answer.startswith("after 7 days it is rejected")
    say(tiny, low, YES)
    ending, history = tiny.run()  # two are still open: the run waits again, and has asked nothing twice
    assert (ending.status, xs(history)) == ("waiting", [])
    say(tiny, medium, Answer(kind="edit", config={"x": 0.35, "y": 0.5, "kind": "b"}))
    say(tiny, high, Answer(kind="respond", text="keep x below 0.7"))
    ending, history = tiny.run()
    assert ending.status == "finished"
    assert xs(history) == [0.3, 0.35]
    assert set(runs(tiny.folder).values()) == {1}
    cycle = history.cycles[1]
    rulings = [event.ruling for event in cycle.rulings.values()]
    assert [(r.decision, r.rule, r.source) for r in rulings] == [
        ("accept", "approval", "human"),
        ("amend", "approval", "human"),
        ("reject", "approval", "human"),
    ]
    assert rulings[2].reason == f"ann (cli, {high.id}) said no: keep x below 0.7"
    assert [event.ruling.decision for event in cycle.judged.values()] == ["accept"] * 3
    assert cycle.finished is not None
    assert cycle.finished.metrics["approved_proposals"] == 2
    assert [(e.guidance.text, e.guidance.author) for e in told(tiny, GuidanceGiven)] == [("keep x below 0.7", "ann")]
    assert len(told(tiny, ApprovalAsked)) == 3
    assert len(told(tiny, ProposalRuled)) == 6
    log = decision_log(load_campaign(tiny.path), history)
    assert [r.decision for r in log.cycles[0].decided.values()] == ["accept", "amend", "reject"]
    assert replay(log) == []  # the supervisor is judged by its own rulings


def test_an_edit_that_cannot_run_is_one_clear_error_and_the_question_stays(campaign: Campaigns) -> None:
    tiny = campaign("human", rules=["x + y <= 1.5"], forbidden=[{"conditions": {"kind": {"options": ["b"]}}}])
    tiny.run()
    asked = waiting(tiny)[0]
    for config, match in (
        ({"x": 2, "y": 0.5, "kind": "a"}, "x"),
        ({"x": 0.5, "y": 0.5}, "kind is missing"),
        ({"x": 0.5, "y": 0.5, "kind": "a", "z": 1}, "unknown parameter 'z'"),
        ({"x": 10**400, "y": 0.5, "kind": "a"}, "cannot be read"),
        ({"x": 0.9, "y": 0.9, "kind": "a"}, "x \\+ y <= 1.5"),
        ({"x": 0.5, "y": 0.5, "kind": "b"}, "kind in .* is forbidden"),
    ):
        with pytest.raises(ConfigError, match=match):
            say(tiny, asked, Answer(kind="edit", config=config))
    assert waiting(tiny)[0] == asked


def test_two_edits_to_the_same_run_once(campaign: Campaigns) -> None:
    tiny = campaign("human")
    tiny.run()
    low, medium, high = waiting(tiny)
    say(tiny, low, Answer(kind="edit", config=high.shown["config"]))
    say(tiny, medium, NO)
    say(tiny, high, YES)
    _, history = tiny.run()
    assert xs(history) == [0.75]  # the one that was to run anyway
    assert "exactly this is about to run" in next(iter(history.cycles[1].rulings.values())).ruling.reason


def test_without_an_answer_in_time_what_was_announced_happens(campaign: Campaigns) -> None:
    clock = Hand()
    tiny = campaign({"mode": "confirm", "expire_s": "1h"})
    ending, _ = tiny.run(clock=clock)
    assert ending.status == "waiting"
    clock.now += 3600
    ending, history = tiny.run(clock=clock)
    assert ending.status == "finished"
    assert xs(history) == [0.3]
    expired = told(tiny, ApprovalExpired)
    assert [event.consequence for event in expired] == [
        "after 60 minutes it is rejected, and the cycle goes on without it"
    ] * 2
    rulings = [event.ruling for event in history.cycles[1].rulings.values()]
    assert [(r.decision, r.source) for r in rulings] == [("accept", "rules"), ("reject", "rules"), ("reject", "rules")]


def test_a_remembered_yes_is_not_asked_again_and_is_told_as_such(campaign: Campaigns) -> None:
    tiny = campaign("confirm", budget={"cycles": 2})
    tiny.run()
    medium, high = waiting(tiny)
    say(tiny, medium, Answer(kind="accept", remember="campaign"))
    say(tiny, high, NO)
    ending, history = tiny.run()
    assert ending.status == "waiting"  # the one of high risk in the second cycle
    assert [one.tier for one in waiting(tiny)] == ["high"]
    with tiny.ledger() as ledger:
        answers = [a.answer for a in open_approvals(ledger).of(ID) if a.cycle == 2 and a.answer]
        assert [(a.kind, a.by, a.door) for a in answers] == [("accept", "ann", "rule")]
        (rule,) = open_approvals(ledger).rules()
    assert answers[0].text == f"remembered as {rule.id}"
    assert xs(history) == [0.3, 0.6]


def test_callbacks_answer_and_one_that_fails_is_reported_and_parks(campaign: Campaigns) -> None:
    tiny = campaign("human")

    def fails(ask: Ask) -> None:
        raise RuntimeError("no nerve")

    def wrong(ask: Ask) -> Any:
        return "yes"

    async def slow(ask: Ask) -> Answer | None:
        await asyncio.sleep(0)
        if ask.risk == "high":
            return ask.park()
        return ask.edit(y=0.9) if ask.risk == "medium" else ask.accept()

    ending, _ = tiny.run(on_approval=[fails, wrong, slow])
    assert ending.status == "waiting"
    assert [one.tier for one in waiting(tiny)] == ["high"]
    failures = told(tiny, RoleFailed)
    assert {event.role for event in failures} == {"on_approval"}
    assert failures[0].error == "RuntimeError: no nerve"
    ending, history = tiny.run(on_approval=[lambda ask: ask.ignore("too risky")])
    assert ending.status == "finished"
    assert [(e.config["x"], e.config["y"]) for e in history.experiments()] == [(0.3, 0.6), (0.6, 0.9)]


class Somebody:
    """Answers at this terminal, or is gone; `before` happens while they think."""

    def __init__(self, answers: dict[str, Answer | None], before: Callable[[Approval], None] = lambda _: None) -> None:
        self.answers, self.before = answers, before
        self.seen: list[str] = []
        self.told: list[str] = []

    async def ask(self, asked: Approval) -> Answer | None:
        self.seen.append(asked.tier)
        self.before(asked)
        if asked.tier not in self.answers:
            await asyncio.Event().wait()  # thinks for ever
        answer = self.answers[asked.tier]
        return answer and answer.model_copy(update={"by": "bob", "door": "terminal"})

    def refused(self, error: Exception) -> None:
        self.told.append(f"refused: {error}")

    def closed(self, asked: Approval) -> None:
        assert asked.answer is not None
        self.told.append(f"closed by {asked.answer.by}")


def test_a_person_here_is_asked_and_is_told_who_was_faster(campaign: Campaigns) -> None:
    tiny = campaign("human")

    def faster(asked: Approval) -> None:
        if asked.tier == "medium":
            say(tiny, asked, NO)

    person = Somebody({"low": YES, "high": YES}, faster)
    ending, history = tiny.run(person=person)
    assert ending.status == "finished"
    assert person.seen == ["low", "medium", "high"]
    assert person.told == ["closed by ann"]
    assert xs(history) == [0.3, 0.75]


def test_a_person_who_leaves_parks_what_is_left(campaign: Campaigns) -> None:
    tiny = campaign("human")

    class Hasty(Somebody):
        async def ask(self, asked: Approval) -> Answer | None:
            if asked.tier == "low" and not self.told:
                return Answer(kind="edit", config={"x": 7})
            return YES if asked.tier == "low" else None

    person = Hasty({})
    ending, _ = tiny.run(person=person)
    assert ending.status == "waiting"
    assert len(person.told) == 1
    assert person.told[0].startswith("refused: ")
    assert [one.tier for one in waiting(tiny)] == ["medium", "high"]


def test_the_orchestrator_says_what_it_waits_for_and_goes_on_after_it(campaign: Campaigns) -> None:
    tiny = campaign("human")
    with MultiAgentOrchestrator(tiny.path, home=tiny.home.home, recall=False, environment={}) as orchestrator:
        decided = orchestrator.run_research_cycle(1)
        assert decided["status"] == "decided"
        with pytest.raises(ApprovalNeededError, match="cycle 1 waits for a person") as parked:
            orchestrator.run_autonomous_cycle(1)
        assert parked.value.exit_code == 5
        for one in waiting(tiny):
            say(tiny, one, YES if one.tier == "low" else NO)
        answer = orchestrator.run_autonomous_cycle(1)
    assert answer["status"] == "completed"
    assert answer["training_completion"]["completed"] == 1


def test_the_mode_of_a_resumed_run_answers_what_is_open(campaign: Campaigns) -> None:
    tiny = campaign("human")
    tiny.run()
    ending, history = tiny.run({"approvals.mode": "all"})
    assert ending.status == "finished"
    assert xs(history) == [0.3, 0.6, 0.75]
    with tiny.ledger() as ledger:
        assert {a.answer.door for a in open_approvals(ledger).of(ID) if a.answer} == {"mode"}


def test_without_checkpoints_the_ledger_alone_keeps_questions_and_answers(campaign: Campaigns) -> None:
    """Under a mode, too, in which nothing would be asked any more."""
    tiny = campaign("human")
    tiny.run()
    for one in waiting(tiny)[:2]:
        say(tiny, one, NO)
    for file in tiny.home.checkpoints.glob("*"):
        file.unlink()
    ending, history = tiny.run({"approvals.mode": "auto"})
    assert (ending.status, xs(history), len(waiting(tiny))) == ("waiting", [], 1)
    say(tiny, waiting(tiny)[0], YES)
    for file in tiny.home.checkpoints.glob("*"):
        file.unlink()
    ending, history = tiny.run({"approvals.mode": "auto"})
    assert (ending.status, xs(history)) == ("finished", [0.75])
    assert len(told(tiny, ApprovalAsked)) == 3


def test_the_interrupt_itself_takes_both_forms_and_asks_again_after_what_is_no_answer(campaign: Campaigns) -> None:
    """As an interface does that knows the graph and nothing of the inbox."""
    tiny = campaign("human")
    tiny.run()
    low, medium, high = waiting(tiny)

    async def main() -> Any:
        with tiny.ledger() as ledger, open_cycle(tiny.home, ID) as graph:
            context = context_of(tiny.home, ledger, ledger.campaign(ID))
            forget = ledger.listen(context.history.apply)
            thread: Any = {"configurable": {"thread_id": f"{ID}:1"}}

            async def resume(answer: Any) -> Any:
                (interrupt,) = (await graph.aget_state(thread)).interrupts
                return await graph.ainvoke(Command(resume={interrupt.id: answer}), thread, context=context)

            (asked,) = (await graph.aget_state(thread)).interrupts
            assert [one["id"] for one in asked.value["action_requests"]] == [low.id, medium.id, high.id]
            assert [Approval.model_validate(one) for one in asked.value["approvals"]] == [low, medium, high]
            with pytest.raises(ValidationError):
                await resume("yes")
            for refused in ({"a-0000000000": {"type": "accept"}}, {low.id: {"type": "perhaps"}}, [{"type": "accept"}]):
                assert "__interrupt__" in await resume(refused)
                assert [one.id for one in waiting(tiny)] == [low.id, medium.id, high.id]
            partial = await resume({low.id: {"type": "accept", "args": None}})
            assert [one["id"] for one in partial["__interrupt__"][0].value["approvals"]] == [medium.id, high.id]
            edited = {"name": "run_experiment", "args": {**medium.shown["config"], "x": 0.4}}
            ended = await resume({"decisions": [{"type": "edit", "edited_action": edited}, {"type": "reject"}]})
            forget()
            await context.jobs.shutdown()
            return ended

    ended = asyncio.run(main())
    assert [e.config["x"] for e in ended["experiments"]] == [0.3, 0.4]
    assert set(runs(tiny.folder).values()) == {1}
    errors = [event.error for event in told(tiny, RoleFailed)]
    assert "'a-0000000000' is not a question that waits" in errors[0]
    with tiny.ledger() as ledger:
        assert {a.answer.door for a in open_approvals(ledger).of(ID) if a.answer} == {"graph"}
