"""What guidance in force comes to, and what it does to a case: the later wins, limits hold, wishes come first."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.guidance.effect import attributed
from agents.guidance.reading import read
from agents.guidance.recalled import question, remembered, sentence, softened
from agents.guidance.steering import SEAT, Steering
from agents.guidance.with_model import read_with_model
from agents.guidance.words import vocabulary_of
from agents.proposers.bayes import bayes
from agents.proposers.guided import guided as guided_proposer
from agents.proposers.quasi_random import quasi_random
from agents.proposers.recombine import recombine
from agents.proposers.refine import refine
from agents.roles import Case
from agents.supervisors.gatekeeper import gatekeeper
from agents.testing import ScriptedModel, example_case, example_code_case, example_kit
from agents.testing.cases import on_the_table
from agents.voters.guided import guided as guided_voter
from core.guidance import Guidance
from core.records import Memory, Proposal, Ruling


def told(case: Case, *sentences: str, **more: Any) -> Case:
    """The case with sentences as they are read in it: g1, g2, …"""
    words = vocabulary_of(case.campaign, case.space, ("accuracy", "recall"), case.population)
    made = []
    for number, text in enumerate(sentences, 1):
        reading = read(text, words)
        assert not reading.unread, reading
        made.append(Guidance(id=f"g{number}", text=text, meanings=reading.meanings, **more))
    return replace(case, guidance=tuple(made))


def held(case: Case) -> list[str]:
    return [str(x) for x in case.steering().held]


@pytest.mark.parametrize(
    ("sentences", "expected", "aside"),
    [
        (["keep learning_rate below 0.1", "keep learning_rate above 0.2"], ["g2"], ["g1 contradicted"]),
        (["keep learning_rate below 0.1", "keep learning_rate below 0.01"], ["g1", "g2"], []),
        (["explore", "exploit"], ["g2"], ["g1 contradicted"]),
        (["prefer small learning_rate", "prefer large learning_rate"], ["g2"], ["g1 contradicted"]),
        (["avoid linear", "try linear first"], ["g2"], ["g1 contradicted"]),
        (["try linear first", "avoid linear"], ["g2"], ["g1 contradicted"]),
        (["focus on depth", "focus on learning_rate"], ["g2"], ["g1 contradicted"]),
        (["focus on depth", "focus on recall"], ["g1", "g2"], []),
        (["avoid linear", "avoid tree"], ["g2"], ["g1 contradicted"]),
        (
            ["keep depth below 4", "avoid depth 1", "avoid depth 2", "avoid depth 3"],
            ["g2", "g3", "g4"],
            ["g1 contradicted"],
        ),
    ],
)
def test_the_later_wins(sentences: list[str], expected: list[str], aside: list[str]) -> None:
    steering = told(example_case(), *sentences).steering()
    assert [x.id for x in steering.held] == expected
    assert [f"{one.guidance_id} {one.why}" for one in steering.aside] == aside


def test_what_leaves_nothing_beside_the_campaigns_own_constraints_is_not_applied() -> None:
    case = example_case()
    region = {"conditions": {"model": {"options": ["tree"]}}}
    case = replace(case, campaign=case.campaign.model_copy(update={"forbidden": (region,)}))
    steering = told(case, "avoid linear").steering()
    assert steering.held == []
    assert [(one.why, one.reason) for one in steering.aside] == [
        ("not applied", "no model linear: nothing would be left to try")
    ]


LIMITS = ("keep learning_rate below 0.01", "keep depth between 2 and 5")


@pytest.mark.parametrize("trials", [0, 8])
@pytest.mark.parametrize("make", [bayes, quasi_random, recombine])
def test_proposers_of_numbers_propose_inside(make: Any, trials: int) -> None:
    for seed in range(3 if trials == 0 else 1):
        case = told(example_case(trials, seed=seed), *LIMITS)
        for proposal in asyncio.run(make()(case, example_kit(seed))):
            assert proposal.config["learning_rate"] < 0.01
            assert 2 <= proposal.config.get("depth", 3) <= 5


def rulings(case: Case, *proposals: Proposal) -> list[Ruling]:
    case, out, supervise = on_the_table(case, proposals), list[Ruling](), gatekeeper()
    for proposal in proposals:
        out.append(asyncio.run(supervise(proposal, replace(case, rulings=tuple(out)), example_kit())))
    return out


def test_the_supervisor_names_the_guidance_that_a_proposal_is_against() -> None:
    case = told(example_case(), "explore", *LIMITS)
    just = math.nextafter(0.01, 0)
    made = [case.propose("x", {"model": "linear", "learning_rate": rate}, "r") for rate in (0.01, just)]
    outside, inside = rulings(case, *made)
    assert (outside.decision, outside.rule, outside.reason) == ("reject", "guidance", "g2: learning_rate below 0.01")
    assert inside.decision == "accept"


def test_a_wish_is_proposed_first_gets_its_job_and_is_fulfilled_once() -> None:
    case = told(example_case(8), "try depth 11 first", "prefer small learning_rate")
    made = list(asyncio.run(guided_proposer()(case, example_kit())))
    assert [(p.proposer, p.guidance) for p in made] == [(SEAT, ("g1",)), (SEAT, ("g2",))]
    assert (made[0].config["model"], made[0].config["depth"]) == ("tree", 11)
    assert made[1].config["learning_rate"] < 1e-3 * 10**0.34
    others = [case.propose("x", case.space.sample(np.random.default_rng(i)), "r") for i in range(4)]
    decided = rulings(case, *others, *made)
    assert [r.rule for r in decided[-2:]] == ["guidance", "guidance"]
    assert sum(r.decision == "accept" for r in decided) <= 3  # the jobs of the cycle
    done = case.history[0].model_copy(update={"proposal": made[0]})
    assert [x.id for x in case.steering().unfulfilled((*case.history, done))] == ["g2"]


def test_a_focus_is_searched_alone() -> None:
    case = told(example_case(8), "focus on learning_rate")
    assert case.best is not None
    (proposal,) = asyncio.run(guided_proposer()(case, example_kit()))
    assert {**proposal.config, "learning_rate": 0} == {**case.best.config, "learning_rate": 0}
    direction = case.steering().steered(replace(case).direction)  # type: ignore[arg-type]  # there is one
    assert direction.focus == ("learning_rate",)
    assert "g1: focus on parameter learning_rate" in direction.reason


def test_the_mode_is_turned_and_what_it_was_is_kept() -> None:
    case = told(example_case(8), "exploit more")
    assert case.direction is not None
    turned = case.steering().steered(case.direction)
    assert (turned.mode, turned.before_guidance, turned.guidance) == ("exploit", "explore", ("g1",))
    assert "g1: exploit (the director said explore)" in turned.reason


def test_the_voter_leans_towards_wishes() -> None:
    case = told(example_case(8), "prefer small learning_rate", "prefer tree")
    votes = {}
    for config in ({"model": "linear", "learning_rate": 0.9}, {"model": "tree", "learning_rate": 2e-4, "depth": 3}):
        vote = asyncio.run(guided_voter()(case.propose("x", config, "r"), case, example_kit()))
        votes[config["model"]] = vote
    assert (votes["linear"].score, votes["tree"].score) == (-1.0, 1.0)
    assert votes["tree"].confidence < 0.5
    assert "g1" in votes["tree"].reason
    nothing = told(example_case(8), "explore")
    vote = asyncio.run(guided_voter()(nothing.propose("x", config, "r"), nothing, example_kit()))
    assert vote.confidence == 0


def test_a_focus_on_a_metric_counts_where_it_is_predicted() -> None:
    case = told(example_case(10), "focus on accuracy")
    good = asyncio.run(guided_voter()(case.propose("x", case.best.config, "r"), case, example_kit()))  # type: ignore[union-attr]
    assert good.score > 0
    assert "accuracy predicted better than usual" in good.reason


def test_a_change_names_the_value_that_it_would_have_been() -> None:
    case = told(example_case(), LIMITS[0])
    assert case.direction is not None
    before = case.propose("x", {"model": "linear", "learning_rate": 0.5}, "r")
    after = case.propose("x", {"model": "linear", "learning_rate": 0.005}, "r")
    (one, same), changes = attributed([after, before], [before, before], case.steering(), case.direction)
    assert (one.guidance, same.guidance) == (("g1",), ())
    assert [(c.name, c.before, c.after, c.what) for c in changes["g1"]] == [
        ("learning_rate", 0.5, 0.005, "learning_rate 0.5 → 0.005")
    ]


def test_recalled_guidance_is_a_suggestion_that_gives_way() -> None:
    case = told(example_case(), "keep learning_rate below 0.01")
    (said,) = case.guidance
    recalled = said.model_copy(update={"id": "g9", "door": "recall", "meanings": tuple(softened(said.meanings))})
    steering = Steering((recalled,), case.space)
    assert steering.box is None
    assert steering.regions == []
    (own,) = told(case, "keep learning_rate above 0.1").guidance
    both = Steering((own, recalled), case.space)
    assert [x.id for x in both.held] == ["g1"]
    assert [one.guidance_id for one in both.aside] == ["g9"]


def test_only_what_is_alike_is_recalled() -> None:
    campaign = example_case().campaign
    item = remembered(Guidance(id="g1", text="avoid linear", campaign_id="other-1"), campaign)

    def memory(**changes: Any) -> Memory:
        fields = {"id": item.id, "kind": "guidance", "text": item.text, "similarity": 0.9, "campaign_id": "other-1"}
        return Memory.model_validate({**fields, **changes})

    assert question(campaign) in item.text
    assert sentence(memory(), "example-1") == "avoid linear"
    assert sentence(memory(similarity=0.3), "example-1") is None
    assert sentence(memory(), "other-1") is None
    assert sentence(memory(text="train.py: document it"), "example-1") is None


def test_a_model_is_asked_only_for_what_no_rule_understands() -> None:
    case = example_case()
    words = vocabulary_of(case.campaign, case.space)
    answer = {"meanings": [{"clause": "deep trees only", "kind": "bound", "name": "depth", "low": 8}]}
    model = ScriptedModel({"director/guidance": answer})
    reading = read("avoid linear; deep trees only; dance", words)
    after = asyncio.run(read_with_model(reading, words, example_kit(model=model)))
    assert [(m.name, m.source) for m in after.meanings] == [("model", "rules"), ("depth", "model")]
    assert [one.clause for one in after.unread] == ["dance"]
    assert "avoid linear" not in model.asked[0].user
    understood = read("avoid linear", words)
    assert asyncio.run(read_with_model(understood, words, example_kit(model=model))) is understood
    assert asyncio.run(read_with_model(reading, words, example_kit())) is reading


def test_code_is_steered_by_files_functions_and_transformations() -> None:
    case = example_code_case()
    assert case.population is not None
    plain = asyncio.run(refine(count=4)(case, example_kit()))
    used = {part.partition("@")[0] for p in plain for part in p.parts}
    assert used
    name = sorted(used)[0]
    without = told(case, f"avoid {name}")
    made = asyncio.run(refine(count=4)(without, example_kit()))
    assert name not in {part.partition("@")[0] for p in made for part in p.parts}
    against = next(p for p in plain if any(part.startswith(f"{name}@") for part in p.parts))
    (ruling,) = rulings(without, against)
    assert (ruling.decision, ruling.rule) == ("reject", "guidance")
    wished = told(example_code_case(), f"try {name} first")
    (proposal,) = asyncio.run(guided_proposer()(wished, example_kit()))
    assert {part.partition("@")[0] for part in proposal.parts} == {name}
    (ruling,) = rulings(wished, proposal)
    assert (ruling.decision, ruling.rule) == ("accept", "guidance")
