"""Probes: what they ask, how many there are, and that a contradicted constraint is taken back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np

from agents.historians.chronicler import chronicler
from agents.proposers.probe import probe as prober
from agents.roles import Case
from agents.supervisors.gatekeeper import gatekeeper
from agents.testing.cases import example_case, example_kit, on_the_table
from core.records import Experiment, Lesson, Proposal, Ruling
from search.constraints import Condition, Region
from search.probing import probe
from search.space import Choice, Float, Space
from search.trials import Trial

SPACE = Space.model_validate({"kind": Choice("a", "b", "c"), "rate": Float(0.0, 1.0), "drop": Float(0.0, 1.0)})


def trials(n: int = 12) -> list[Trial]:
    rng = np.random.default_rng(0)
    told = []
    for i in range(n):
        config = SPACE.sample(rng)
        config["kind"] = "a" if i % 2 else "b"
        told.append(Trial(f"t{i}", config, 1.0))
    return told


def test_an_option_that_only_ever_crashed_is_tried_beside_what_succeeded() -> None:
    known = [*trials(), Trial("crash", {"kind": "c", "rate": 0.5, "drop": 0.5}, None)]
    asked = [probe(SPACE, known, [], np.random.default_rng(seed)) for seed in range(20)]
    assert all(p is not None and p.about == "crash" for p in asked)
    assert sum(p.config["kind"] == "c" for p in asked if p) >= 15
    assert all(p.config not in [t.config for t in known] for p in asked if p and p.config["kind"] == "c")


def test_with_every_crash_explained_the_edge_of_a_region_is_asked_about() -> None:
    region = Region(conditions={"rate": Condition(low=0.8)}, evidence=("x",))
    known = [t for t in trials() if t.config["rate"] < 0.7]
    known += [Trial(f"x{i}", {"kind": "a", "rate": 0.9 + i / 25, "drop": 0.5}, None) for i in range(3)]
    found = probe(SPACE, known, [("l-1", region)], np.random.default_rng(1))
    assert found is not None
    assert found.about == "l-1"
    assert 0.8 < found.config["rate"] < 0.9


def test_a_half_line_is_asked_about_where_no_crash_has_reached() -> None:
    region = Region(conditions={"rate": Condition(low=0.3)}, evidence=("x",))
    known = [t for t in trials() if t.config["rate"] < 0.25]
    known += [Trial(f"x{i}", {"kind": "a", "rate": 0.35 + i / 50, "drop": 0.5}, None) for i in range(3)]
    found = probe(SPACE, known, [("l-1", region)], np.random.default_rng(1))
    assert found is not None
    assert found.config["rate"] > 0.6
    assert "reach as far as" in found.reason


def test_without_a_crash_there_is_nothing_to_probe() -> None:
    assert probe(SPACE, trials(), [], np.random.default_rng(0)) is None
    assert asyncio.run(prober()(example_case(0), example_kit())) == []


def crashing_case() -> Case:
    case = example_case(40)
    assert any(e.score is None for e in case.history)
    return case


def test_probes_keep_to_their_share() -> None:
    case = crashing_case()
    (made,) = asyncio.run(prober(share=0.1)(case, example_kit()))
    assert made.probes
    probed = tuple(
        e.model_copy(update={"proposal": e.proposal.model_copy(update={"probes": "x"})}) if i < 4 else e
        for i, e in enumerate(case.history)
    )
    assert asyncio.run(prober(share=0.1)(replace(case, history=probed), example_kit())) == []
    recovering = replace(
        case, history=probed, direction=case.direction and case.direction.model_copy(update={"mode": "recover"})
    )
    assert len(asyncio.run(prober(share=0.1)(recovering, example_kit()))) == 1


def ruled(case: Case, *proposals: Proposal) -> list[Ruling]:
    rulings: list[Ruling] = []
    table = on_the_table(case, proposals)
    for proposal in proposals:
        rulings.append(asyncio.run(gatekeeper()(proposal, replace(table, rulings=tuple(rulings)), example_kit())))
    return rulings


def lesson(region: Region) -> Lesson:
    return Lesson(id="l-1", kind="constraint", text="no", cycle=1, region=region.model_dump(mode="json"))


REGION = Region(conditions={"learning_rate": Condition(low=0.2)}, reason="fails", evidence=("a",))


def test_one_probe_a_cycle_may_enter_what_was_learned_but_nothing_that_a_person_forbids() -> None:
    case = replace(example_case(6), lessons=(lesson(REGION),))
    plain = case.propose("p", {"model": "linear", "learning_rate": 0.4}, "-")
    first = case.propose("probe", {"model": "linear", "learning_rate": 0.41}, "-", probes="l-1")
    second = case.propose("probe", {"model": "linear", "learning_rate": 0.42}, "-", probes="l-1")
    told = ruled(case, plain, first, second)
    assert [r.decision for r in told] == ["reject", "accept", "reject"]
    assert [r.rule for r in told] == ["forbidden", "probe", "forbidden"]
    mine = case.campaign.model_copy(update={"forbidden": (REGION.model_dump(mode="json"),)})
    (denied,) = ruled(replace(case, campaign=mine, lessons=()), first)
    assert (denied.decision, denied.rule) == ("reject", "forbidden")


def test_a_slot_is_kept_for_the_probe() -> None:
    case = replace(example_case(6), lessons=(lesson(REGION),))
    rates = (0.01, 0.02, 0.03)
    ordinary = [case.propose("p", {"model": "linear", "learning_rate": r}, "-") for r in rates]
    asked = case.propose("probe", {"model": "linear", "learning_rate": 0.41}, "-", probes="l-1")
    told = ruled(case, *ordinary, asked)
    assert [r.decision for r in told] == ["accept", "accept", "reject", "accept"]


def test_a_success_inside_takes_the_constraint_back() -> None:
    case = replace(example_case(8), lessons=(lesson(REGION),))
    proposal = case.propose("probe", {"model": "linear", "learning_rate": 0.4}, "-", probes="l-1")
    base = next(e for e in case.history if e.outcome.ok)
    outcome = base.outcome.model_copy(update={"config": proposal.config, "proposal_id": proposal.id})
    success = Experiment(proposal=proposal, outcome=outcome, score=0.7)
    told = asyncio.run(chronicler()([success], case, example_kit()))
    withdrawn = [x for x in told if x.withdraws == "l-1"]
    assert len(withdrawn) == 1
    assert proposal.id in withdrawn[0].evidence
    assert "succeeded there" in withdrawn[0].text
