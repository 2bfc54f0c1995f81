"""Our own roles keep the contracts that we ship for others."""

import asyncio

from agents.directors.thresholds import thresholds
from agents.historians.chronicler import chronicler
from agents.proposers.bayes import bayes
from agents.proposers.quasi_random import quasi_random
from agents.proposers.recombine import recombine
from agents.supervisors.gatekeeper import gatekeeper
from agents.testing import (
    DirectorContract,
    HistorianContract,
    ProposerContract,
    SupervisorContract,
    VoterContract,
    example_case,
    example_kit,
)
from agents.testing.cases import ExampleRecall, example_proposal
from agents.voters.constraints import constraints
from agents.voters.novelty import novelty
from agents.voters.world_model import world_model
from core.records import Memory


class TestThresholds(DirectorContract):
    make = staticmethod(thresholds)


class TestBayes(ProposerContract):
    make = staticmethod(bayes)


class TestQuasiRandom(ProposerContract):
    make = staticmethod(quasi_random)


class TestRecombine(ProposerContract):
    make = staticmethod(recombine)

    def test_a_winner_of_another_campaign_becomes_a_parent(self) -> None:
        memory = remembered(score=0.99)
        made = asyncio.run(recombine()(example_case(0), example_kit(recall=ExampleRecall(memory))))
        assert [p.memories for p in made] == [(memory.id,)]
        assert made[0].parents == ("p-elsewhere",)

    def test_a_memory_of_another_metric_is_no_parent(self) -> None:
        memory = remembered(score=0.99).model_copy(update={"objective": "minimize loss"})
        assert list(asyncio.run(recombine()(example_case(0), example_kit(recall=ExampleRecall(memory))))) == []


class TestWorldModel(VoterContract):
    make = staticmethod(world_model)

    def test_prefers_what_resembles_the_winners(self) -> None:
        case = example_case(24)
        good = case.propose("x", {"model": "tree", "learning_rate": 0.01, "depth": 6}, "near the top")
        poor = case.propose("x", {"model": "linear", "learning_rate": 1e-4}, "far from it")
        votes = [asyncio.run(world_model()(p, case, example_kit())) for p in (good, poor)]
        assert votes[0].score > votes[1].score


class TestNovelty(VoterContract):
    make = staticmethod(novelty)

    def test_vetoes_a_repeat(self) -> None:
        case = example_case(5)
        vote = asyncio.run(novelty()(case.propose("x", case.history[2].config, "again"), case, example_kit()))
        assert (vote.score, vote.confidence) == (-1, 1)

    def test_counts_and_names_what_another_campaign_tried(self) -> None:
        case = example_case(5)
        proposal = example_proposal(case)
        memory = remembered(score=None).model_copy(update={"config": proposal.config})
        vote = asyncio.run(novelty()(proposal, case, example_kit(recall=ExampleRecall(memory))))
        assert vote.score < -0.5
        assert vote.memories == (memory.id,)


class TestConstraints(VoterContract):
    make = staticmethod(constraints)

    def test_vetoes_a_forbidden_region(self) -> None:
        case = example_case(3)
        region = {"conditions": {"learning_rate": {"low": 0.2}}, "reason": "it diverges"}
        campaign = case.campaign.model_copy(update={"forbidden": (region,)})
        strict = example_case(3, campaign=campaign)
        vote = asyncio.run(
            constraints()(case.propose("x", {"model": "linear", "learning_rate": 0.4}, "bold"), strict, example_kit())
        )
        assert (vote.score, vote.confidence) == (-1, 1)
        assert "it diverges" in vote.reason


class TestGatekeeper(SupervisorContract):
    make = staticmethod(gatekeeper)


class TestChronicler(HistorianContract):
    make = staticmethod(chronicler)


def remembered(score: float | None) -> Memory:
    return Memory(
        id="t-elsewhere",
        kind="trajectory",
        text="example: it was tried",
        similarity=0.8,
        campaign_id="example-0",
        proposal_id="p-elsewhere",
        score=score,
        objective="maximize accuracy",
        config={"model": "tree", "learning_rate": 0.01, "depth": 6},
    )
