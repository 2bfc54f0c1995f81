"""The cycle with small real roles: what one role does or fails to do, and what becomes of the cycle."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from tiny_campaign import ROOT, runs
from tiny_run import POINTS, TinyRun, council

from agents.executors.job import job_id
from core.errors import StorageError
from graph import state as graph_state
from graph.campaign import context_of, find_or_create, open_cycle
from graph.loading import load_campaign
from memory.history import History


@pytest.fixture
def campaign(tmp_path: Path) -> Callable[..., TinyRun]:
    return lambda **changes: TinyRun(tmp_path, **changes)


def failures(history: History) -> list[tuple[str, str, str]]:
    return [(f.role, f.name, f.error) for cycle in history.cycles.values() for f in cycle.failures]


# ------------------------------------------------------------------------------------------- roles that fail


def test_a_proposer_that_raises_is_reported_and_the_others_are_heard(campaign) -> None:
    proposers = ["roles.py:raising_proposer", "roles.py:mute_proposer", {"use": "roles.py:fixed", "points": POINTS}]
    ending, history = campaign(council=council(proposers=proposers)).run()
    assert ending.status == "finished"
    assert failures(history)[0] == ("proposer", "raising_proposer", "RuntimeError: no idea")
    assert {name for _, name, _ in failures(history)} == {"raising_proposer", "mute_proposer"}
    assert [e.score is not None for e in history.experiments()] == [True, True]


def test_a_voter_that_raises_abstains(campaign) -> None:
    voting = ["roles.py:raising_voter", "roles.py:approve", "roles.py:mute_voter"]
    ending, history = campaign(council=council(voting=voting)).run()
    assert ending.status == "finished"
    assert [name for _, name, _ in failures(history)] == ["raising_voter", "mute_voter"]
    assert [t.tally.weights for t in history.cycles[1].tallies.values()] == [{"approve": 1.0}] * 2
    assert len(history.experiments()) == 2


def test_a_vote_counts_for_the_proposal_and_the_seat_that_were_asked(campaign) -> None:
    _, history = campaign(council=council(voting=["roles.py:confused_voter"])).run()
    votes = history.cycles[1].votes
    assert {(p, v.vote.voter) for p, told in votes.items() for v in told} == {
        (p, "confused_voter") for p in history.cycles[1].proposals
    }
    assert len(history.experiments()) == 2


@pytest.mark.parametrize("supervisor", ["raising_supervisor", "mute_supervisor"])
def test_what_the_supervisor_cannot_judge_is_rejected(campaign, supervisor: str) -> None:
    ending, history = campaign(council=council(supervisor=f"roles.py:{supervisor}")).run()
    assert ending.status == "finished"
    rulings = [r.ruling for r in history.cycles[1].rulings.values()]
    assert [(r.decision, r.rule, r.risk) for r in rulings] == [("reject", "unjudged", 1.0)] * 2
    assert failures(history)[0][0] == "supervisor"
    assert history.experiments() == ()


# ---------------------------------------------------------------------------------------------- short cycles


def test_a_cycle_without_proposals_is_whole(campaign) -> None:
    ending, history = campaign(council=council(proposers=["roles.py:fixed"])).run()
    cycle = history.cycles[1]
    assert ending.status == "finished"
    assert cycle.finished is not None
    assert (cycle.finished.metrics["total_proposals"], cycle.finished.metrics["approved_proposals"]) == (0, 0)
    assert set(cycle.finished.stages) == {
        "director", "proposer", "agenda", "voter", "tally", "supervisor", "executor", "historian",
    }  # fmt: skip
    assert (cycle.votes, cycle.tallies, cycle.rulings) == ({}, {}, {})


def test_nothing_accepted_means_nothing_run(campaign) -> None:
    asked = campaign(council=council(supervisor="roles.py:refusing"))
    _, history = asked.run()
    assert history.cycles[1].finished is not None
    assert history.cycles[1].finished.metrics["total_proposals"] == 2
    assert {job.purpose for job in history.jobs.values()} == {"baseline"}
    assert runs(asked.folder).total() == 1


def test_a_vetoed_proposal_is_not_run_however_it_is_liked(campaign) -> None:
    voting = [{"use": "roles.py:approve", "weight": 100}, "roles.py:veto_right"]
    _, history = campaign(council=council(voting=voting)).run()
    [ran] = history.experiments()
    assert ran.config["x"] == 0.3
    [rejected] = [r.ruling for r in history.cycles[1].rulings.values() if r.ruling.decision == "reject"]
    assert (rejected.rule, rejected.reason) == ("veto", "vetoed by veto_right")


def test_what_lies_outside_the_space_is_rejected_by_its_name(campaign) -> None:
    proposers = ["roles.py:outside", {"use": "roles.py:fixed", "points": POINTS}]
    _, history = campaign(council=council(proposers=proposers)).run()
    rulings = {history.cycles[1].proposals[p].proposal.proposer: r.ruling for p, r in history.cycles[1].rulings.items()}
    assert (rulings["outside"].decision, rulings["outside"].rule) == ("reject", "schema")
    assert "'z'" in rulings["outside"].reason
    assert len(history.experiments()) == 2


def test_an_amended_proposal_runs_in_its_amended_form_and_is_found_in_the_history(campaign) -> None:
    asked = campaign(council=council(supervisor="roles.py:moving"))
    _, history = asked.run()
    first, second = history.experiments()
    assert (first.config["x"], first.proposal.config["x"]) == (0.25, 0.25)
    assert {e.proposal.id for e in history.experiments()} == set(history.cycles[1].proposals)
    assert {p.proposal.config["x"] for p in history.cycles[1].proposals.values()} == {0.3, 0.6}
    assert (first.config["y"], second.config["y"]) == (0.6, 0.5)


def test_of_two_amended_to_the_same_form_one_runs(campaign) -> None:
    proposers = [{"use": "roles.py:fixed", "points": [[0.3, 0.6], [0.6, 0.6]]}]
    asked = campaign(council=council(proposers=proposers, supervisor="roles.py:moving"))
    _, history = asked.run()
    assert [e.config["x"] for e in history.experiments()] == [0.25]
    assert [r.ruling.rule for r in history.cycles[1].rulings.values()] == ["moving", "repeat"]


def test_a_supervisor_that_accepts_anything_cannot_run_what_lies_outside_the_space(campaign) -> None:
    proposers = ["roles.py:outside", {"use": "roles.py:fixed", "points": POINTS}]
    _, history = campaign(council=council(proposers=proposers, supervisor="roles.py:credulous")).run()
    rulings = [r.ruling for r in history.cycles[1].rulings.values()]
    assert [(r.decision, r.rule) for r in rulings] == [("reject", "schema"), ("accept", "all"), ("accept", "all")]
    assert len(history.experiments()) == 2


def test_the_same_idea_twice_is_one_proposal_of_whoever_sits_first(campaign) -> None:
    proposers = [{"use": "roles.py:fixed", "points": POINTS}, {"use": "roles.py:fixed", "points": POINTS[1:]}]
    _, history = campaign(council=council(proposers=proposers)).run()
    assert [e.proposal.proposer for e in history.experiments()] == ["fixed", "fixed"]
    assert history.cycles[1].finished is not None
    assert history.cycles[1].finished.stages["agenda"] == {"proposals": 2, "duplicates": 1}
    assert [p.proposal.proposer for p in history.cycles[1].proposals.values()] == ["fixed", "fixed", "fixed-2"]
    assert len(history.cycles[1].votes) == 2


# ------------------------------------------------------------------------------------------------- the state


def test_every_key_of_the_state_has_one_writer(campaign) -> None:
    """The table in `graph.state` against what the nodes of a real cycle return."""
    rows = [line.split() for line in (graph_state.__doc__ or "").splitlines() if line.startswith("    ")]
    table = {row[0]: row[1] for row in rows[1:]}
    assert set(table) == set(get_type_hints(graph_state.CycleState))
    asked = campaign()
    asked.run()
    written: dict[str, set[str]] = {}

    async def main() -> None:
        with asked.home.open_ledger() as ledger:
            context = context_of(asked.home, ledger, ledger.campaign("tiny-1"))
            forget = ledger.listen(context.history.apply)
            with open_cycle(asked.home, "tiny-1") as cycle:
                thread: Any = {"configurable": {"thread_id": "tiny-1:2"}}
                async for update in cycle.astream({"cycle": 2}, thread, context=context, stream_mode="updates"):
                    for node, keys in update.items():
                        for key in keys:
                            written.setdefault(key, set()).add(node)
            forget()

    asyncio.run(main())
    assert written == {key: {writer} for key, writer in table.items() if key != "cycle"}
    assert table["cycle"] == "the"  # caller


# --------------------------------------------------------------------------------------------------- endings


def test_a_reached_target_ends_it(campaign) -> None:
    ending, history = campaign(until="score >= -0.005", budget={"cycles": 9}).run()
    assert (ending.status, ending.reason) == ("finished", "target reached: score >= -0.005")
    assert history.last_finished_cycle == 1


def test_a_missed_target_ends_on_the_budget(campaign) -> None:
    ending, _ = campaign(until="score >= 5", budget={"cycles": 2}).run()
    assert (ending.status, ending.reason) == ("budget", "all 2 cycles done")


def test_the_budget_of_jobs_is_never_exceeded(campaign) -> None:
    asked = campaign(council=council(director="thresholds", jobs_per_cycle=2), budget={"cycles": 9, "jobs": 3})
    ending, history = asked.run()
    assert (ending.status, ending.reason) == ("budget", "all 3 jobs spent")
    assert len(history.experiments()) == 3
    ending, history = asked.run({"budget.jobs": 5})  # raised: it goes on where it was
    assert (ending.status, len(history.experiments())) == ("budget", 5)
    assert set(runs(asked.folder).values()) == {1}


def test_time_is_a_budget_too_and_a_raised_one_goes_on(campaign) -> None:
    asked = campaign(budget={"cycles": 500, "time_s": 1.0})
    ending, history = asked.run()
    assert (ending.status, ending.reason) == ("budget", "time")
    assert type(history.ended).__name__ == "CampaignFinished"
    done = history.last_finished_cycle
    ending, history = asked.run({"budget.cycles": done + 1, "budget.time_s": 300})
    assert (ending.status, history.last_finished_cycle) == ("finished", done + 1)
    assert set(runs(asked.folder).values()) == {1}


def test_a_stop_in_mid_cycle_is_an_interruption_and_the_cycle_goes_on_later(campaign) -> None:
    asked = campaign()
    ending, history = asked.run(stop_at="VoteCast")
    assert (ending.status, ending.reason) == ("interrupted", "enough")
    assert history.experiments() == ()
    ending, history = asked.run()
    assert (ending.status, len(history.experiments())) == ("finished", 2)
    assert [len(v) for v in history.cycles[1].votes.values()] == [1, 1]


def test_a_baseline_that_is_the_best_is_compared_with_itself(campaign) -> None:
    """Both sides of a pair are then the same job: it runs once, and nothing can be told apart."""
    proposers = [{"use": "roles.py:fixed", "points": [[0.5, 0.5]]}]
    asked = campaign(council=council(proposers=proposers), noise={"repeats": 1, "verdict_pairs": 2})
    ending, history = asked.run()
    assert ending.status == "finished"
    assert history.verdict is not None
    assert (history.verdict.gain, history.verdict.answer) == (0.0, "cannot tell")
    assert runs(asked.folder).total() == 3


# ---------------------------------------------------------------------------------------- whole or not at all


def test_a_job_that_cannot_start_takes_no_other_with_it(campaign) -> None:
    """The other one is ended and not counted: on resume both run, and neither stands as cancelled."""
    environment = {"RUNS_FILE": "runs.jsonl", "SLEEP_S": "0.5"}  # in the job's own directory: not counted here
    asked = campaign(environment=environment)
    blocked = job_id("tiny-1", {"x": 0.6, "y": 0.5, "kind": "a"}, 0)
    asked.home.create()
    obstacle = asked.home.experiments / blocked
    obstacle.write_text("in the way")
    with pytest.raises(StorageError) as caught:
        asked.run()
    assert blocked in caught.value.what
    assert [e.outcome.status for e in asked.history().experiments()] == []
    obstacle.unlink()
    ending, history = asked.run()
    assert ending.status == "finished"
    assert {e.outcome.status for e in history.experiments()} == {"ok"}
    assert len(history.experiments()) == 2


def test_a_campaign_whose_first_process_died_before_it_spoke_has_a_beginning(campaign) -> None:
    asked = campaign()
    with asked.home.open_ledger() as ledger:
        stored, new = find_or_create(ledger, load_campaign(asked.path))
        assert new
        ledger.update_campaign(stored.id, new_session=True)
    _, history = asked.run()
    assert history.started_at > 0


REFUSED = """
import asyncio, sys
from pathlib import Path
from core.errors import BusyError
from graph.campaign import find_or_create, run_campaign
from graph.loading import load_campaign
from memory.state_folder import StateFolder

home = StateFolder(Path(sys.argv[2]))
with home.open_ledger() as ledger:
    stored, _ = find_or_create(ledger, load_campaign(Path(sys.argv[1]), {"budget.cycles": 77}))
    try:
        asyncio.run(run_campaign(home, ledger, stored))
    except BusyError as error:
        print(error.what)
"""


def test_a_refused_process_changes_no_budget(campaign) -> None:
    asked = campaign()
    with asked.home.open_ledger() as ledger:
        stored, _ = find_or_create(ledger, load_campaign(asked.path))
        ledger.leases.acquire(f"campaign {stored.id}")
        words = [sys.executable, "-c", REFUSED, str(asked.path), str(asked.home.home)]
        refused = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120, cwd=ROOT)
        assert refused.stdout.strip() == f"campaign tiny-1 is being run by process {os.getpid()}"
        assert ledger.campaign("tiny-1").definition.budget.cycles == 1
