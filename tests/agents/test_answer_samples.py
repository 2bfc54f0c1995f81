"""The samples beside the prompts, said to the roles in one case: the good ones are used, the bad ones sent back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import prompts
from agents.directors.advised import advised
from agents.guidance.reading import read
from agents.guidance.with_model import read_with_model
from agents.guidance.words import vocabulary_of
from agents.historians.reflective import reflective
from agents.production.model_plans import extract_plan_with_model
from agents.production.plans import extract_plan
from agents.proposers.from_model import analogy, idea
from agents.proposers.rewrite import rewrite
from agents.roles import Case, Kit
from agents.supervisors.reviewed import reviewed
from agents.testing import ScriptedModel, example_case, example_code_case, example_kit
from agents.testing.cases import ExampleRecall, on_the_table
from agents.voters.persona import persona
from core.production import ProductionOutcome
from core.records import Experiment, Memory, Outcome, Proposal

FOLDER = Path(prompts.__file__).parent
TRIED = {"model": "tree", "learning_rate": 0.01, "depth": 3}


def sample_case() -> Case:
    """One finished trial, p-12ab34cd56, and two proposals on the table, A and B."""
    proposal = Proposal(id="p-12ab34cd56", campaign_id="c", cycle=0, proposer="x", config=TRIED, rationale="r")
    outcome = Outcome(
        job_id="j", proposal_id=proposal.id, status="ok", config=TRIED, seed=0, metrics={"accuracy": 0.9132}
    )
    trial = Experiment(proposal=proposal, outcome=outcome, score=0.9132)
    case = example_case(0)
    case = replace(case, history=(trial,), best=trial)
    table = [case.propose("bayes", {**TRIED, "depth": depth}, "the world model says so") for depth in (8, 11)]
    return on_the_table(case, table)


def memory() -> Memory:
    return Memory(id="t-12ab34cd56", kind="trajectory", text="depth 7 did well", similarity=0.9, campaign_id="other")


def planned(model: Any) -> Any:
    """A parser that was written and tested, at the second go."""
    outcome = ProductionOutcome(
        agent="builder",
        task="write a parser that passes tests/test_parser.py",
        success=True,
        result={"code": "def parse(text): ...", "tests": "12 passed"},
        execution_path=("read samples", "write parser.py", "run pytest", "retry: a fixture was missing", "12 passed"),
        tools_used=("editor", "pytest"),
    )
    by_rules = extract_plan(outcome)
    assert by_rules is not None
    return extract_plan_with_model(outcome, by_rules, model)


def guided(case: Case, kit: Kit) -> Any:
    """Three clauses that no rule understands."""
    words = vocabulary_of(case.campaign, case.space)
    return read_with_model(read("deep trees only; linear is hopeless; delete all files", words), words, kit)


Play = Callable[[Case, Kit], Any]
PLAYS: dict[str, Play] = {
    "director/direction": lambda case, kit: advised()(case, kit),
    "director/guidance": guided,
    "proposer/idea": lambda case, kit: idea(count=2)(case, kit),
    "proposer/analogy": lambda case, kit: analogy()(case, kit),
    "proposer/rewrite": lambda case, kit: rewrite("refinement")(example_code_case(), kit),
    "proposer/revise": lambda case, kit: rewrite("revision")(example_code_case(None), kit),
    "proposer/recombine": lambda case, kit: rewrite("recombination")(example_code_case(1.0, 1.1, seed=1), kit),
    "voter/judgement": lambda case, kit: persona()(case.proposals[0], case, kit),
    "voter/dissent": lambda case, kit: persona("dissenter")(case.proposals[0], case, kit),
    "supervisor/review": lambda case, kit: reviewed()(case.proposals[0], case, kit),
    "historian/plan": lambda case, kit: planned(kit.model),
    "historian/reflection": lambda case, kit: reflective()(case.history, case, kit),
}


def play(name: str, answer: Any) -> ScriptedModel:
    model = ScriptedModel({name: answer}, repairs=0)
    asyncio.run(PLAYS[name](sample_case(), example_kit(recall=ExampleRecall(memory()), model=model)))
    assert [prompt.name for prompt in model.asked] == [name]
    return model


def samples(kind: str) -> list[Any]:
    return [
        pytest.param(name, sample, id=f"{name}-{number}")
        for name in PLAYS
        for number, sample in enumerate(json.loads((FOLDER / f"{name}.{kind}.json").read_text()))
    ]


def test_every_prompt_with_an_answer_is_played() -> None:
    wanted = {n for n in prompts.names() if prompts.load(n).answer and n.partition("/")[0] in ROLES}
    assert set(PLAYS) == wanted


ROLES = ("director", "proposer", "voter", "supervisor", "historian")


@pytest.mark.parametrize(("name", "answer"), samples("good"))
def test_a_good_answer_has_no_faults(name: str, answer: Any) -> None:
    assert play(name, answer).faults == []


@pytest.mark.parametrize(("name", "sample"), samples("bad"))
def test_a_bad_answer_has_the_fault_that_is_told(name: str, sample: Any) -> None:
    told = play(name, sample["answer"]).faults
    expected = sample.get("check") or sample["fault"]
    assert any(expected in fault for fault in told), told
