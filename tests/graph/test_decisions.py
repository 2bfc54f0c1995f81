"""The decision log of a real campaign: exported, read back, decided again, and told from one that was tampered with."""

from __future__ import annotations

import asyncio

import pytest
from small_campaign import small_campaign

from graph.campaign import run_campaign
from graph.decisions import DecisionLog, decision_log, replay
from memory.history import History
from memory.state_folder import StateFolder


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> DecisionLog:
    root = tmp_path_factory.mktemp("decisions")
    folder = StateFolder(root / "state")
    campaign = small_campaign(root, budget={"cycles": 5}, noise={"repeats": 2, "verdict_pairs": 0})
    with folder.open_ledger() as ledger:
        stored = ledger.create_campaign(campaign)
        asyncio.run(run_campaign(folder, ledger, stored))
        return decision_log(campaign, History.load(ledger, stored.id))


def test_every_decision_is_in_the_log(log: DecisionLog) -> None:
    assert [cycle.cycle for cycle in log.cycles] == [1, 2, 3, 4, 5]
    for cycle in log.cycles:
        assert cycle.finished
        assert cycle.direction is not None
        assert cycle.direction.reason
        ruled = {ruling.proposal_id for ruling in cycle.rulings}
        assert ruled == {tally.proposal_id for tally in cycle.tallies}
        assert {vote.proposal_id for vote in cycle.votes} == ruled
        ran = {r.proposal_id for r in cycle.rulings if r.decision in ("accept", "amend")}
        assert {told.outcome.proposal_id for told in cycle.outcomes} == ran


def test_an_exported_log_is_decided_again_alike(log: DecisionLog) -> None:
    again = DecisionLog.model_validate_json(log.model_dump_json())
    assert again == log
    assert replay(again) == []


def test_a_changed_direction_and_a_changed_ruling_are_found(log: DecisionLog) -> None:
    last = log.cycles[-1]
    assert last.direction is not None
    direction = last.direction.model_copy(update={"mode": "recover", "reason": "I say so"})
    ruling = last.rulings[0].model_copy(update={"reason": "a favour"})
    forged = last.model_copy(update={"direction": direction, "rulings": (ruling, *last.rulings[1:])})
    told = replay(log.model_copy(update={"cycles": (*log.cycles[:-1], forged)}))
    assert {d.what for d in told} == {"direction", f"ruling on {ruling.proposal_id}"}
    assert all(d.cycle == 5 for d in told)


def test_a_changed_vote_shows_in_its_tally(log: DecisionLog) -> None:
    last = log.cycles[-1]
    vote = last.votes[0].model_copy(update={"score": -last.votes[0].score or 0.5, "confidence": 0.9})
    forged = last.model_copy(update={"votes": (vote, *last.votes[1:])})
    told = replay(log.model_copy(update={"cycles": (*log.cycles[:-1], forged)}))
    assert f"tally of {vote.proposal_id}" in {d.what for d in told}
