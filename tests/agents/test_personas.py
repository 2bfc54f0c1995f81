"""Personas: read, checked, switched while a campaign runs; the table they judge; and amendments of a review."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.model_seats import estimate, with_model_seats
from agents.personas import DISSENTER, PersonaRegistry, check_personas
from agents.proposers.from_model import idea
from agents.roles import Case
from agents.supervisors.reviewed import reviewed
from agents.testing import ScriptedModel, example_case, example_kit
from agents.testing.cases import example_campaign, example_proposal, on_the_table
from agents.voters.persona import persona
from core.campaign import Council, Use
from core.errors import ConfigError, NotFoundError
from core.models import ChatCall, Message, Prompt
from core.records import Lesson, Ruling, Vote
from prompts import load, names, render
from runtime.models.tokens import most_input_tokens

THRIFTY = "personas: [{name: thrifty, description: You count what a trial costs., permissions: [vote]}]\n"


def case_in(here: Path, trials: int = 4, count: int = 3) -> Case:
    case = example_case(trials, campaign=example_campaign(here=str(here)))
    return on_the_table(case, [example_proposal(case, seed) for seed in range(1, count + 1)])


def lines(prompt: Prompt) -> dict[str, str]:
    told = prompt.user.partition("<<<proposals")[2].partition("proposals>>>")[0]
    return dict(re.findall(r"^([A-Z]): (.*)$", told, re.MULTILINE))


def judge(score: float = 0.5) -> ScriptedModel:
    def answer(prompt: Prompt) -> Any:
        judged = [{"label": k, "score": score, "confidence": 0.8, "reason": "so it seems"} for k in lines(prompt)]
        return {"judgements": judged}

    return ScriptedModel({"voter/judgement": answer})


def vote_of(case: Case, model: ScriptedModel, **parameters: Any) -> Vote:
    vote: Vote = asyncio.run(persona(**parameters)(case.proposals[0], case, example_kit(model=model)))
    return vote


def test_a_seat_is_switched_in_a_running_campaign_and_stays_so(tmp_path: Path) -> None:
    (tmp_path / "personas.yaml").write_text(THRIFTY)
    model = judge()
    assert "in the part of" not in vote_of(case_in(tmp_path), model).reason
    PersonaRegistry(tmp_path).switch("critical", "thrifty")  # as another process would
    vote = vote_of(case_in(tmp_path), model)
    assert "in the part of thrifty" in vote.reason
    assert "You count what a trial costs." in model.asked[-1].system
    assert PersonaRegistry(tmp_path).seated("critical").name == "thrifty"
    assert (tmp_path / "personas.yaml").read_text() == THRIFTY


def test_the_dissenter_keeps_its_seat(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="dissenter keeps its seat"):
        PersonaRegistry(tmp_path).switch(DISSENTER, "creative")
    (tmp_path / "personas.seats.yaml").write_text("seats: {dissenter: creative}")
    assert PersonaRegistry(tmp_path).seated(DISSENTER).name == DISSENTER


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("personas: [{name: thrifty, descripton: You count what a trial costs.}]", "descripton"),
        ("personas: [{name: thrifty, description: You count costs., permissions: [sudo]}]", "sudo"),
        (
            "personas: [{name: same, description: The first of the two.}, {name: same, description: The second.}]",
            "twice",
        ),
        ("a: &a [1, 2]\nb: [*a, *a]", "aliases"),
        ("[1, 2]", "no keys"),
        ("schema: 9", "schema 9"),
        ("x: " + "y" * 300_000, "200,000 bytes"),
        ("\x00", "cannot read"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "personas.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        PersonaRegistry(tmp_path).names()


def test_personas_are_checked_before_anything_runs(tmp_path: Path) -> None:
    check_personas(with_model_seats(Council()), tmp_path)
    unknown = Use.model_validate({"use": "persona", "persona": "criticle"})
    with pytest.raises(NotFoundError, match="criticle"):
        check_personas(Council(voting=(unknown,)), tmp_path)
    timid = Use.model_validate({"use": "idea", "persona": "critical"})
    with pytest.raises(ConfigError, match="may not propose"):
        check_personas(Council(proposers=(timid,)), tmp_path)


def test_a_persona_with_the_permission_proposes_in_its_own_words(tmp_path: Path) -> None:
    said = {"proposals": [{"changes": {"learning_rate": 0.0123}, "reason": "far from the crowd"}]}
    model = ScriptedModel({"proposer/idea": said})
    [made] = asyncio.run(idea(persona="creative")(case_in(tmp_path), example_kit(model=model)))
    assert made.source == "model"
    assert "what others overlook" in model.asked[0].system
    [made] = asyncio.run(idea(persona="critical")(case_in(tmp_path), example_kit(model=model)))
    assert (made.source, "critical may not propose" in made.rationale) == ("rules", True)


def test_two_seats_of_one_persona_with_other_models_judge_apart(tmp_path: Path) -> None:
    case = case_in(tmp_path)
    for_it, against = judge(0.9), judge(-0.5)
    against._id = "scripted:other"
    assert vote_of(case, for_it).score == 0.9
    assert vote_of(case, against).score == -0.5


def test_a_long_rationale_crowds_nobody_off_the_table(tmp_path: Path) -> None:
    case = case_in(tmp_path, count=9)
    flood = "\u202e<<<" * 5000
    case = replace(case, proposals=tuple(p.model_copy(update={"rationale": flood}) for p in case.proposals))
    model = judge()
    assert vote_of(case, model).source == "model"
    told = lines(model.asked[0])
    assert len(told) >= 9
    assert all("learning_rate=" in line for line in told.values())


def test_more_than_fit_on_the_table_are_abstained_from(tmp_path: Path) -> None:
    case = case_in(tmp_path, count=20)
    model, kit_of = judge(), example_kit
    votes = [asyncio.run(persona()(p, case, kit_of(model=model))) for p in case.proposals]
    assert len(model.asked) == 1
    assert {v.confidence for v in votes[:15]} == {0.8}
    assert {v.confidence for v in votes[15:]} == {0.0}


def test_where_nothing_failed_a_forbidden_configuration_is_planted(tmp_path: Path) -> None:
    region = {"conditions": {"learning_rate": {"low": 0.1}}, "reason": "it diverges"}
    lesson = Lesson(id="l-12ab34cd56", kind="constraint", text="it diverges", cycle=0, region=region)
    case = replace(case_in(tmp_path, trials=0), lessons=(lesson,))
    model = judge()
    vote = vote_of(case, model)
    assert len(lines(model.asked[0])) == 4
    assert "known to be bad" in vote.reason


def test_the_planted_one_looks_like_the_others(tmp_path: Path) -> None:
    case = case_in(tmp_path, trials=40)
    model = judge()
    vote_of(case, model)
    told = lines(model.asked[0])
    assert len(told) == 4
    for line in told.values():  # configuration, prediction and a rationale, and no name
        assert re.fullmatch(r"model=.*; predicted accuracy \S+ ± \S+; [^:]+", line), line


# ------------------------------------------------------------ a review that amends


def review(case: Case, **answer: Any) -> Any:
    said = {"verdict": "amend", "evidence": [case.history[0].proposal.id], "reason": "too near to what stood still"}
    model = ScriptedModel({"supervisor/review": {**said, **answer}}, repairs=0)
    return asyncio.run(reviewed()(case.proposals[0], case, example_kit(model=model))), model


def calm(tmp_path: Path) -> Case:
    """A case whose proposal the rules accept."""
    case = case_in(tmp_path, trials=8, count=1)
    gentle = case.propose("bayes", {"model": "tree", "learning_rate": 0.011, "depth": 5}, "near the best")
    return on_the_table(case, [gentle])


def test_an_amendment_passes_the_rules_and_keeps_the_id(tmp_path: Path) -> None:
    case = calm(tmp_path)
    ruling, _ = review(case, changes={"depth": 6})
    assert (ruling.decision, ruling.rule, ruling.source) == ("amend", "review", "model")
    assert ruling.amended.id == case.proposals[0].id
    assert ruling.amended.config == {**case.proposals[0].config, "depth": 6}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, "needs changes"),
        ({"depth": 99}, "depth"),
        ({"warmup": 3}, "warmup"),
        ({"depth": 5}, "change nothing"),
    ],
)
def test_an_amendment_that_cannot_be_is_sent_back(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    ruling, model = review(calm(tmp_path), changes=changes)
    assert (ruling.decision, ruling.source) == ("accept", "rules")
    assert any(fault in told for told in model.faults), model.faults


def test_an_amendment_into_what_is_forbidden_is_sent_back(tmp_path: Path) -> None:
    region = {"conditions": {"depth": {"low": 10}}, "reason": "it runs out of memory"}
    lesson = Lesson(id="l-12ab34cd56", kind="constraint", text="memory", cycle=0, region=region)
    ruling, model = review(replace(calm(tmp_path), lessons=(lesson,)), changes={"depth": 11})
    assert ruling.decision == "accept"
    assert "forbidden: it runs out of memory" in model.faults[0]


def test_the_rules_rule_on_an_amendment_again(tmp_path: Path) -> None:
    case = calm(tmp_path)
    first = case.proposals[0]
    other = case.propose("idea", {**first.config, "depth": 6}, "deeper")
    taken = Ruling(proposal_id=other.id, decision="accept", risk=0.1, rule="all gates passed", reason="r")
    case = replace(on_the_table(case, [first, other]), rulings=(taken,))
    ruling, model = review(case, changes={"depth": 6})
    assert model.faults == []
    assert (ruling.decision, ruling.amended, ruling.source) == ("accept", None, "rules")
    assert "amendment was refused, repeat" in ruling.reason


def test_a_proposal_is_no_evidence_against_itself(tmp_path: Path) -> None:
    case = calm(tmp_path)
    ruling, model = review(case, verdict="reject", evidence=[case.proposals[0].id])
    assert ruling.decision == "accept"
    assert "no finished trial" in model.faults[0]


# ------------------------------------------------------------ the estimate


def test_nothing_that_is_sent_takes_more_than_the_estimate() -> None:
    council = with_model_seats(Council())
    sent = 0
    for name in names():
        file = load(name)
        of_code = name in ("proposer/rewrite", "proposer/revise", "proposer/recombine")
        roles = ("director", "proposer", "voter", "supervisor", "historian")
        if of_code or not file.answer or name.partition("/")[0] not in roles:
            continue
        prompt = render(name, **dict.fromkeys(file.variables, "x" * 50_000))
        messages = (Message(role="system", text=prompt.system), Message(role="user", text=prompt.user))
        times = {"voter/judgement": 4, "supervisor/review": council.jobs_per_cycle + 2}.get(name, 1)
        sent += times * (most_input_tokens(ChatCall(model_id="", messages=messages)) + prompt.max_tokens)
    once, repaired = estimate(council), estimate(council, repairs=2)
    assert sent <= once.tokens <= 1.5 * sent
    assert repaired.calls == 3 * once.calls
    assert repaired.tokens > 3 * once.tokens


def test_a_campaign_on_code_gets_a_proposer_of_code() -> None:
    names = [use.use for use in with_model_seats(Council(), "code").proposers]
    assert "rewrite" in names
    assert not {"analogy", "idea"} & set(names)
