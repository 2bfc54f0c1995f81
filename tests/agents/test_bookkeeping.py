"""Credits and track records: bounded, earned, and 1 for whoever says nothing."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from agents.historians.bookkeeping import NEUTRAL, credit, forecast, memories, rank, standing, trajectory
from agents.testing import example_case
from core.records import Experiment, TrackRecord, Vote

share = st.floats(0, 1)


def earned(earnings: list[float]) -> TrackRecord:
    record = TrackRecord(name="a", role="voter")
    for one in earnings:
        record = standing(record, one)
    return record


@given(st.lists(share, max_size=60))
def test_a_weight_stays_between_a_fifth_and_two(earnings: list[float]) -> None:
    record = earned(earnings)
    assert 0.2 <= record.weight <= 2.0
    assert record.judged == len(earnings)
    assert math.isclose(record.right, math.fsum(earnings), abs_tol=1e-9)


@given(st.integers(0, 200))
def test_a_neutral_forecaster_weighs_one(times: int) -> None:
    assert math.isclose(earned([NEUTRAL] * times).weight, 1.0)


def test_the_neutral_credit_is_that_of_one_half_on_evenly_spread_outcomes() -> None:
    spread = [(i + 0.5) / 1000 for i in range(1000)]
    assert math.isclose(math.fsum(1 - abs(0.5 - y) for y in spread) / 1000, NEUTRAL, abs_tol=1e-3)


@given(st.lists(share, min_size=1, max_size=30), share, share)
def test_a_better_credit_never_lowers_a_weight(earnings: list[float], one: float, other: float) -> None:
    assert earned([*earnings, max(one, other)]).weight >= earned([*earnings, min(one, other)]).weight


@given(st.integers(1, 100))
def test_the_more_often_right_the_heavier_and_the_more_often_wrong_the_lighter(times: int) -> None:
    assert earned([1.0] * (times + 1)).weight > earned([1.0] * times).weight > 1
    assert earned([0.0] * (times + 1)).weight <= earned([0.0] * times).weight < 1


@given(st.floats(-1, 1), share)
def test_a_forecast_is_a_share_and_one_half_without_confidence(score: float, confidence: float) -> None:
    def vote(sure: float) -> Vote:
        return Vote(proposal_id="p", voter="a", score=score, confidence=sure, reason="")

    assert 0 <= forecast(vote(confidence)) <= 1
    assert forecast(vote(0)) == 0.5


@given(st.one_of(st.none(), st.floats(-10, 10)), st.integers(0, 12))
def test_a_rank_is_a_share_that_grows_with_the_score(score: float | None, trials: int) -> None:
    case = example_case(trials)
    assert 0 <= rank(score, case) <= 1
    assert rank(None, case) == 0
    if score is not None:
        assert rank(score + 1, case) >= rank(score, case)
    assert rank(100.0, case) == 1


def judged(trials: int = 8, **changes):
    """A case with a vote on its last trial, and that trial as what this cycle brought."""
    case = example_case(trials + 1)
    *_, last = case.history
    votes = [
        Vote(proposal_id=last.proposal.id, voter="bold", score=1, confidence=1, reason=""),
        Vote(proposal_id=last.proposal.id, voter="silent", score=1, confidence=0, reason=""),
        Vote(proposal_id="p-unknown", voter="elsewhere", score=1, confidence=1, reason=""),
    ]
    fields = {"history": case.history[:-1], "votes": tuple(votes), **changes}
    return example_case(trials, **fields), last


@given(st.one_of(st.none(), st.floats(-2, 2)))
def test_credits_are_shares_and_only_of_those_who_judged_it(score: float | None) -> None:
    case, last = judged()
    happened = Experiment(proposal=last.proposal, outcome=last.outcome, score=score)
    records = {record.name: record for record in credit([happened], case, {})}
    assert set(records) == {"bold", last.proposal.proposer}
    assert math.isclose(records["bold"].right, 1 - abs(1 - rank(score, case)))
    assert math.isclose(records[last.proposal.proposer].right, rank(score, case))


def test_records_go_on_from_where_they_were_and_through_a_whole_cycle() -> None:
    case, last = judged(records={"bold": TrackRecord(name="bold", role="voter", judged=4, right=2.0)})
    proposers = {last.proposal.proposer: TrackRecord(name=last.proposal.proposer, role="proposer", judged=7, right=7.0)}
    records = {record.name: record for record in credit([last, last], case, proposers)}
    assert records["bold"].judged == 6
    assert records[last.proposal.proposer].judged == 9
    assert credit([], case, proposers) == []


def test_a_failed_trial_is_remembered_as_failed() -> None:
    case = example_case(30)
    failed = next(e for e in case.history if e.score is None)
    well = next(e for e in case.history if e.score is not None)
    kept = [trajectory(experiment, case) for experiment in (failed, well)]
    assert [bool(t.failure_reasons) for t in kept] == [True, False]
    assert (kept[0].success_score, kept[1].success_score) == (0.0, well.score)
    items = memories(kept, [], case)
    assert ["score" in item.metadata for item in items] == [False, True]
    assert [item.id for item in items] == [t.id for t in kept]
    assert all(word in kept[1].summary for word in ("accuracy", "against the baseline"))
