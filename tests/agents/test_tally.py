"""The tally is a weighted mean: of nobody's order, within the votes, and stopped by a veto."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from agents.tally import tally_votes, voter_weights
from core.records import TrackRecord, Vote

PROPOSALS = ["p-1", "p-2", "p-3"]
VOTERS = ["a", "b", "c", "d"]

votes = st.lists(
    st.builds(
        Vote,
        proposal_id=st.sampled_from(PROPOSALS),
        voter=st.sampled_from(VOTERS),
        score=st.floats(-1, 1),
        confidence=st.just(0.0) | st.floats(1e-6, 1),  # a product of less is none
        reason=st.just("a test"),
    ),
    unique_by=lambda vote: (vote.proposal_id, vote.voter),
)
weights = st.fixed_dictionaries({name: st.just(0.0) | st.floats(1e-6, 10) for name in VOTERS})


def by_id(tallies):
    return {tally.proposal_id: tally for tally in tallies}


@given(votes, weights, st.randoms())
def test_the_order_of_the_votes_changes_nothing(cast: list[Vote], weighed: dict[str, float], random) -> None:
    shuffled = random.sample(cast, len(cast))
    assert tally_votes(PROPOSALS, shuffled, weighed) == tally_votes(PROPOSALS, cast, weighed)


@given(votes, weights, st.permutations(PROPOSALS))
def test_the_order_of_the_proposals_decides_only_among_equals(cast, weighed, order: list[str]) -> None:
    one, other = tally_votes(PROPOSALS, cast, weighed), tally_votes(order, cast, weighed)
    assert by_id(one) == by_id(other)
    assert [(bool(t.vetoed_by), t.score) for t in one] == [(bool(t.vetoed_by), t.score) for t in other]
    for tallies, given_order in ((one, PROPOSALS), (other, order)):
        equals = [t.proposal_id for t in tallies if (t.score, bool(t.vetoed_by)) == (0.0, False)]
        assert equals == sorted(equals, key=given_order.index)


@given(votes, weights)
def test_a_tally_lies_within_its_votes(cast, weighed) -> None:
    for name, tally in by_id(tally_votes(PROPOSALS, cast, weighed)).items():
        mine = [vote for vote in cast if vote.proposal_id == name]
        counting = [vote.score for vote in mine if weighed[vote.voter] * vote.confidence > 0]
        if not counting:
            assert tally.score == 0.0
        else:
            assert min(counting) - 1e-9 <= tally.score <= max(counting) + 1e-9
        assert tally.weights == {vote.voter: weighed[vote.voter] for vote in sorted(mine, key=lambda v: v.voter)}


def test_the_smallest_confidence_still_tells_the_score() -> None:
    vote = Vote(proposal_id="p-1", voter="faint", score=-0.5, confidence=5e-324, reason="barely")
    assert tally_votes(["p-1"], [vote], {"faint": 1.0})[0].score == -0.5


@given(votes, weights)
def test_best_first_and_the_vetoed_last(cast, weighed) -> None:
    tallies = tally_votes(PROPOSALS, cast, weighed)
    assert sorted(t.proposal_id for t in tallies) == PROPOSALS
    keys = [(bool(t.vetoed_by), -t.score) for t in tallies]
    assert keys == sorted(keys)


@given(votes, weights)
def test_a_veto_is_a_sure_no_and_stands_at_any_weight(cast, weighed) -> None:
    no = Vote(proposal_id="p-1", voter="vetoer", score=-1, confidence=1, reason="never")
    tallies = tally_votes(PROPOSALS, [*cast, no], {**weighed, "vetoer": 0.0})
    assert "vetoer" in by_id(tallies)["p-1"].vetoed_by
    unsure = no.model_copy(update={"confidence": math.nextafter(1, 0)})
    tallies = tally_votes(PROPOSALS, [*cast, unsure], {**weighed, "vetoer": 10.0})
    assert "vetoer" not in by_id(tallies)["p-1"].vetoed_by


@given(votes, weights)
def test_one_who_abstains_changes_no_score(cast, weighed) -> None:
    silent = [Vote(proposal_id=p, voter="silent", score=1, confidence=0, reason="no idea") for p in PROPOSALS]
    with_silent = by_id(tally_votes(PROPOSALS, [*cast, *silent], {**weighed, "silent": 5.0}))
    for name, tally in by_id(tally_votes(PROPOSALS, cast, weighed)).items():
        assert with_silent[name].score == tally.score


@given(votes, weights, st.floats(0.125, 8))
def test_only_the_ratio_of_the_weights_counts(cast, weighed, factor: float) -> None:
    scaled = by_id(tally_votes(PROPOSALS, cast, {name: weight * factor for name, weight in weighed.items()}))
    for name, tally in by_id(tally_votes(PROPOSALS, cast, weighed)).items():
        assert math.isclose(scaled[name].score, tally.score, rel_tol=1e-6, abs_tol=1e-9)


def test_a_voter_weighs_its_seat_times_its_record() -> None:
    records = {"a": TrackRecord(name="a", role="voter", weight=1.5)}
    assert voter_weights({"a": 2.0, "b": 3.0}, records) == {"a": 3.0, "b": 3.0}
