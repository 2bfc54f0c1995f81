"""What every role must keep, as test classes to subclass.  Each is run on cases from empty to well filled.

Asserted for all: the answer has the right type and refers to what was asked; the same case and the same randomness
give the same answer; the case is not changed; an empty history and one of only failures are no reason to raise.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from agents.roles import Kit
from agents.testing.cases import ExampleRecall, example_case, example_kit, example_proposal, on_the_table
from agents.testing.code_cases import example_candidate, example_code_case
from core.records import Direction, Lesson, Memory, Outcome, Proposal, Ruling, Vote

__all__ = [
    "CodeProposerContract",
    "CodeVoterContract",
    "DirectorContract",
    "ExecutorContract",
    "HistorianContract",
    "ProposerContract",
    "SupervisorContract",
    "VoterContract",
]

SIZES = (0, 1, 4, 12)
CODE_HISTORIES: tuple[tuple[float | None, ...], ...] = ((), (1.4,), (None,), (1.2, None, 1.05, 0.9))
"""Scores of the candidates judged so far; None: refused."""


def _run(call: Any) -> Any:
    return asyncio.run(call)


class _Contract:
    make: ClassVar[Callable[..., Any]]
    """The factory under test, as a static method."""

    parameters: ClassVar[dict[str, Any]] = {}
    """What the factory is called with."""

    kit: ClassVar[Callable[..., Kit]] = staticmethod(example_kit)
    """Makes the kit, from `seed` and `recall`: `example_kit`, or one with a model, jobs or whatever the role needs."""

    def role(self) -> Any:
        return type(self).make(**self.parameters)


class DirectorContract(_Contract):
    """**Required**: mode, a reason in words, and no more jobs than the campaign allows."""

    def test_answers_a_direction_for_this_cycle(self) -> None:
        for size in SIZES:
            case = example_case(size, cycle=3)
            direction = _run(self.role()(case, type(self).kit()))
            assert isinstance(direction, Direction)
            assert direction.cycle == 3
            assert direction.reason.strip()
            assert 0 <= direction.jobs <= case.campaign.council.jobs_per_cycle

    def test_is_repeatable(self) -> None:
        answers = [_run(self.role()(example_case(6), type(self).kit())) for _ in range(2)]
        assert answers[0] == answers[1]


class ProposerContract(_Contract):
    """**Required**: proposals of this campaign and cycle, inside the space, each with a rationale."""

    def test_proposes_inside_the_space(self) -> None:
        for size in SIZES:
            for mode in ("explore", "exploit", "recover"):
                case = example_case(size, mode=mode)
                for proposal in _run(self.role()(case, type(self).kit())):
                    assert isinstance(proposal, Proposal)
                    assert proposal.campaign_id == case.campaign_id
                    assert proposal.cycle == case.cycle
                    assert case.space.validate_config(proposal.config) == proposal.config
                    assert proposal.rationale.strip()

    def test_is_repeatable(self) -> None:
        answers = [list(_run(self.role()(example_case(8), type(self).kit(seed=5)))) for _ in range(2)]
        assert answers[0] == answers[1]

    def test_leaves_the_case_as_it_is(self) -> None:
        case = example_case(8)
        before = copy.deepcopy(case.history)
        _run(self.role()(case, type(self).kit()))
        assert case.history == before

    def test_names_only_memories_it_was_given(self) -> None:
        memory = Memory(
            id="t-known",
            kind="trajectory",
            text="example: model=tree, learning_rate=0.01, depth=6; it went well",
            similarity=0.9,
            campaign_id="example-0",
            proposal_id="p-elsewhere",
            score=0.99,
            objective="maximize accuracy",
            config={"model": "tree", "learning_rate": 0.01, "depth": 6},
        )
        made = _run(self.role()(example_case(8), type(self).kit(recall=ExampleRecall(memory))))
        assert {used for proposal in made for used in proposal.memories} <= {"t-known"}


class VoterContract(_Contract):
    """**Required**: one vote on the proposal asked about, score in −1 … 1, with a reason."""

    def test_votes_on_what_it_was_asked(self) -> None:
        for size in SIZES:
            case = example_case(size)
            proposal = example_proposal(case)
            vote = _run(self.role()(proposal, case, type(self).kit()))
            assert isinstance(vote, Vote)
            assert vote.proposal_id == proposal.id
            assert -1 <= vote.score <= 1
            assert 0 <= vote.confidence <= 1
            assert vote.reason.strip()

    def test_is_repeatable(self) -> None:
        case = example_case(8)
        proposal = example_proposal(case)
        votes = [_run(self.role()(proposal, example_case(8), type(self).kit(seed=5))) for _ in range(2)]
        assert votes[0] == votes[1]


class CodeProposerContract(_Contract):
    """**Required** of a proposer in a campaign on code: candidates of this campaign and cycle that change only what may
    be changed, to something that was not judged before, each with a rationale and an operator."""

    def test_proposes_candidates_that_were_not_judged(self) -> None:
        for scores in CODE_HISTORIES:
            for mode in ("explore", "exploit", "recover"):
                case = example_code_case(*scores)
                case = replace(case, direction=Direction(cycle=1, mode=mode, jobs=3, reason="an example"))
                population = case.population
                assert population is not None
                for proposal in _run(self.role()(case, type(self).kit())):
                    assert proposal.is_trial
                    assert (proposal.campaign_id, proposal.cycle) == (case.campaign_id, case.cycle)
                    changed = population.changed_of(proposal)
                    assert changed
                    assert all(population.allowed(path) for path in changed)
                    assert not population.is_known(population.tree(changed))
                    for path, text in changed.items():
                        compile(text or "", path, "exec")
                    assert proposal.rationale.strip()
                    assert proposal.operator.strip()
                    assert proposal.parents

    def test_is_repeatable(self) -> None:
        told = [list(_run(self.role()(example_code_case(1.2, None), type(self).kit(seed=5)))) for _ in range(2)]
        assert told[0] == told[1]


class CodeVoterContract(_Contract):
    """**Required** of a voter on candidates of code: one vote on the candidate asked about, with a reason."""

    def test_votes_on_what_it_was_asked(self) -> None:
        for scores in CODE_HISTORIES:
            case = example_code_case(*scores)
            proposal = example_candidate(case)
            case = replace(case, proposals=(proposal,))
            vote = _run(self.role()(proposal, case, type(self).kit()))
            assert isinstance(vote, Vote)
            assert vote.proposal_id == proposal.id
            assert -1 <= vote.score <= 1
            assert 0 <= vote.confidence <= 1
            assert vote.reason.strip()


class SupervisorContract(_Contract):
    """**Required**: default deny: what lies outside the space is never accepted as it stands."""

    def test_rules_on_what_it_was_asked(self) -> None:
        for size in SIZES:
            case = example_case(size)
            proposal = example_proposal(case)
            ruling = _run(self.role()(proposal, on_the_table(case, [proposal]), type(self).kit()))
            assert isinstance(ruling, Ruling)
            assert ruling.proposal_id == proposal.id
            assert ruling.reason.strip()
            assert ruling.rule.strip()

    def test_never_accepts_what_lies_outside_the_space(self) -> None:
        case = example_case(4)
        good = example_proposal(case)
        for wrong in ({"learning_rate": 7.0}, {"model": "unheard of"}, {"surprise": 1}):
            proposal = good.model_copy(update={"config": {**good.config, **wrong}})
            ruling = _run(self.role()(proposal, on_the_table(case, [proposal]), type(self).kit()))
            assert ruling.decision != "accept"


class ExecutorContract(_Contract):
    """**Required**: an outcome for the proposal; a failure is an outcome, never an exception.

    Give `kit` (a static method) a kit in which your executor can work.
    """

    def test_answers_an_outcome(self) -> None:
        proposal = example_proposal(example_case(0))
        outcome = _run(self.role()(proposal, type(self).kit()))
        assert isinstance(outcome, Outcome)
        assert outcome.proposal_id == proposal.id


class HistorianContract(_Contract):
    """**Required**: lessons of this cycle, each with a text; none without something to learn from."""

    def test_answers_lessons(self) -> None:
        for size in SIZES:
            case = example_case(size, cycle=4)
            outcomes: Sequence[Any] = case.history[-2:]
            for lesson in _run(self.role()(outcomes, case, type(self).kit())):
                assert isinstance(lesson, Lesson)
                assert lesson.cycle == 4
                assert lesson.text.strip()

    def test_learns_nothing_from_nothing(self) -> None:
        assert list(_run(self.role()((), example_case(0), type(self).kit()))) == []
