"""Kill -9 anywhere, then `resume`: nothing that finished runs again, nothing is lost, and the end is the same.

A short sweep runs always; RATCHET_SLOW=1 adds each boundary by itself and twenty random moments.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from tiny_campaign import account, events, kill, run, runs, start, write_campaign

from core.process import identify
from memory.history import History
from memory.ledger import Ledger
from runtime.jobs import read_started
from tests.warm_program import Program

SLOW = bool(os.environ.get("RATCHET_SLOW"))
BOUNDARIES = (
    "CampaignStarted",
    "JobStarted",  # in mid-job
    "JobFinished",
    "BaselineMeasured",
    "CycleStarted",
    "DirectionSet",
    "ProposalMade",
    "VoteCast",
    "ProposalTallied",
    "ProposalRuled",
    "TrajectoryKept",
    "TrackRecordUpdated",
    "CycleFinished",
    "ControlFinished",
    "VerdictReached",
)

LONG_JOB = """
import json, os, subprocess, sys, time

pipe, marker = os.environ["PIPE"], os.environ["RUNS_FILE"]
first = not os.path.exists(marker)
with open(sys.argv[1]) as file, open(marker, "a") as counted:
    counted.write(file.read().replace("\\n", " ") + "\\n")
if first:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    with open(pipe, "w") as told:
        told.write(f"{os.getpid()} {child.pid}")
    time.sleep(600)
print(json.dumps({"score": 1.0}))
"""
"""The first one hangs, and has a child in a session of its own; every other one ends at once."""

SEEDED = ("--seed", "3")


class Reference:
    """The uninterrupted run."""

    def __init__(self, folder: Path) -> None:
        self.campaign = write_campaign(folder)
        code, told, stderr = run("run", str(self.campaign), "--home", str(folder / "home"), *SEEDED, cold=True)
        assert code == 0, stderr
        self.events = told
        self.account = account(folder / "home")
        self.runs = runs(folder)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return Reference(tmp_path_factory.mktemp("reference"))


def expect_same_end(reference: Reference, folder: Path) -> None:
    ended, expected = account(folder / "home"), reference.account
    for part, value in expected.items():
        assert ended[part] == value, part
    assert runs(folder) == reference.runs  # every configuration and seed exactly as often: once
    assert set(reference.runs.values()) == {1}


def test_two_uninterrupted_runs_end_alike(reference: Reference, tmp_path: Path) -> None:
    """Otherwise the comparison with a killed one would say nothing."""
    code, _, stderr = run("run", str(write_campaign(tmp_path)), "--home", str(tmp_path / "home"), *SEEDED)
    assert code == 0, stderr
    expect_same_end(reference, tmp_path)
    statuses = {outcome["status"] for outcome in reference.account["all outcomes"].values()}
    assert statuses == {"ok", "failed"}, "the campaign should have a failing job in it"


def kill_when_told(process: Program, boundary: str) -> None:
    assert any(event["type"] == boundary for event in events(process)), f"there was no {boundary}"
    kill(process)


def resume_to_the_end(reference: Reference, folder: Path) -> None:
    code, told, stderr = run("resume", "tiny-1", "--home", str(folder / "home"))
    assert code == 0, stderr
    assert told[-1]["status"] == "finished"
    expect_same_end(reference, folder)


CHAINS = [BOUNDARIES[first::3] for first in range(3)] + ([(one,) for one in BOUNDARIES] if SLOW else [])


@pytest.mark.parametrize("boundaries", CHAINS, ids="-".join)
def test_killed_at_stage_boundaries(reference: Reference, tmp_path: Path, boundaries: tuple[str, ...]) -> None:
    """Killed at the first, gone on with, killed at the second, and so on; then left alone."""
    words = ["run", str(write_campaign(tmp_path)), *SEEDED]
    for boundary in boundaries:
        kill_when_told(start(*words, "--home", str(tmp_path / "home")), boundary)
        words = ["resume", "tiny-1"]
    resume_to_the_end(reference, tmp_path)


@pytest.mark.parametrize("seed", range(20 if SLOW else 1))
def test_killed_at_random_times(reference: Reference, tmp_path: Path, seed: int) -> None:
    """Twice, up to a tenth of a second after some event."""
    rng = random.Random(seed)
    words = ["run", str(write_campaign(tmp_path)), *SEEDED]
    for _ in range(2):
        process = start(*words, "--home", str(tmp_path / "home"))
        last = rng.randrange(1, len(reference.events) // 2)
        for _ in zip(range(last), events(process), strict=False):
            words = ["resume", "tiny-1"]
        time.sleep(rng.random() * 0.1)
        kill(process)
    resume_to_the_end(reference, tmp_path)


@pytest.mark.parametrize("retries", [1, 0])
def test_a_job_whose_keeper_was_killed_too_is_lost_and_tried_again_as_often_as_the_campaign_says(
    tmp_path: Path, retries: int
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    campaign = write_campaign(
        tmp_path,
        environment={"RUNS_FILE": str(tmp_path / "runs.jsonl"), "PIPE": str(pipe)},
        retries=retries,
        budget={"cycles": 1},
        control=[],
    )
    (tmp_path / "train.py").write_text(LONG_JOB)
    home = tmp_path / "home"
    process = start("run", str(campaign), "--home", str(home))
    job = next(event["job_id"] for event in events(process) if event["type"] == "JobStarted")
    with pipe.open() as told:  # it is under way
        leader, orphan = (identify(int(word)) for word in told.read().split())
    kept = read_started(home / "experiments" / job)
    assert kept is not None
    kill(process)
    os.kill(kept.pid, signal.SIGKILL)
    assert orphan.alive()  # in a session of its own, it went with neither

    code, told_again, stderr = run("resume", "--home", str(home))

    assert not leader.alive()
    assert not orphan.alive()
    with Ledger(home / "ledger.db") as ledger:
        history = History.load(ledger, "tiny-1")
    outcome = history.outcomes[job]
    if retries:
        assert code == 0, stderr
        assert (outcome.status, outcome.attempt) == ("ok", 2)
        assert [e.attempt for e in history.jobs.values() if e.job_id == job] == [2]
        assert sorted(runs(tmp_path).values())[-1] == 2  # the lost one, and no other
        assert sorted(runs(tmp_path).values())[:-1] == [1] * (len(runs(tmp_path)) - 1)
    else:
        assert code == 1, stderr
        assert (outcome.status, outcome.cause, outcome.attempt) == ("failed", "lost", 1)
        assert "lost" in str(told_again[-1]) or "ended without a result" in str(told_again[-1])
