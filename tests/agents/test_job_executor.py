"""The job executor: one outcome a configuration and seed, whoever asks, however often, and whatever was killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.executors.job import first_attempt, job, make_spec, run_once, stop_rule
from agents.roles import Kit
from core.campaign import Campaign
from core.errors import BusyError
from core.events import AnyEvent, JobReported, JobStarted
from core.records import Config, Experiment, Outcome, Proposal
from memory.ledger import Ledger
from runtime.jobs import JobQueue, read_started
from runtime.jobs import start as start_job

SCRIPT = """
import json, os, sys, time

with open(sys.argv[1]) as file:
    config = json.load(file)
with open(os.environ["RUNS_FILE"], "a") as file:
    file.write(json.dumps(config, sort_keys=True) + "\\n")
for step in range(3):
    print(json.dumps({"step": step, "loss": 1 / (step + 1)}), flush=True)
if os.environ.get("PIPE"):
    with open(os.environ["PIPE"]) as go:
        go.read()
if config["x"] > 0.8:
    sys.exit("diverged")
print(json.dumps({"score": config["x"], "score_se": 0.01}))
"""


class Bench:
    """A ledger, a queue and a kit; every event that was emitted."""

    def __init__(self, folder: Path, ledger: Ledger, **changes: Any) -> None:
        self.folder = folder
        (folder / "train.py").write_text(SCRIPT)
        fields = {
            "name": "tiny",
            "command": ["{python}", "-I", "-S", "{here}/train.py", "{config}"],
            "objective": {"metric": "score"},
            "space": {"x": {"type": "float", "low": 0, "high": 1}},
            "baseline": {"x": 0.5},
            "seed": 3,
            "environment": {"RUNS_FILE": str(folder / "runs")},
            "here": str(folder),
            **changes,
        }
        self.campaign = Campaign.model_validate(fields)
        self.ledger = ledger
        self.told: list[AnyEvent] = []

    def kit(self, **changes: Any) -> Kit:
        fields = {
            "rng": np.random.default_rng(0),
            "emit": self.told.append,
            "jobs": JobQueue(2),
            "effects": self.ledger.effects,
            "experiments_folder": self.folder / "experiments",
            "campaign": self.campaign,
            "campaign_id": "tiny-1",
        }
        return Kit(**{**fields, **changes})

    def runs(self) -> list[Config]:
        file = self.folder / "runs"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    async def run(self, kit: Kit, x: float = 0.5, **changes: Any) -> Outcome:
        asked = {"seed": 3, "purpose": "proposal", "proposal_id": "p-1", "cycle": 1, **changes}
        return await run_once(kit, {"x": x}, **asked)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield lambda **changes: Bench(tmp_path, ledger, **changes)


def proposal(x: float) -> Proposal:
    return Proposal.make(campaign_id="tiny-1", cycle=2, proposer="tester", config={"x": x}, rationale="a test")


def test_a_proposal_is_run_on_the_campaigns_seed(bench) -> None:
    tried = bench()
    asked = proposal(0.25)
    outcome = asyncio.run(job()(asked, tried.kit()))
    assert (outcome.status, outcome.metrics["score"], outcome.noise) == ("ok", 0.25, {"score": 0.01})
    assert (outcome.proposal_id, outcome.seed, outcome.attempt) == (asked.id, 3, 1)
    assert tried.runs() == [{"seed": 3, "x": 0.25}]
    [started] = [event for event in tried.told if isinstance(event, JobStarted)]
    assert (started.cycle, started.purpose, started.config, started.attempt) == (2, "proposal", {"x": 0.25}, 1)
    steps = [event.metrics for event in tried.told if isinstance(event, JobReported)]
    assert steps[:3] == [{"step": n, "loss": 1 / (n + 1)} for n in range(3)]


def test_a_failed_job_is_an_outcome(bench) -> None:
    outcome = asyncio.run(bench().run(bench().kit(), x=0.9))
    assert (outcome.status, outcome.cause) == ("failed", "crashed")
    assert "diverged" in outcome.reason


def test_who_asks_again_gets_the_stored_outcome_for_its_own_proposal(bench) -> None:
    tried = bench()
    first = asyncio.run(tried.run(tried.kit()))
    second = asyncio.run(tried.run(tried.kit(), proposal_id="p-2", cycle=7, purpose="control"))
    assert second == first.model_copy(update={"proposal_id": "p-2"})
    assert len(tried.runs()) == 1
    asyncio.run(tried.run(tried.kit(), seed=4))  # another seed is another job
    assert len(tried.runs()) == 2


def test_two_who_ask_at_once_share_one_process(bench) -> None:
    tried = bench()

    async def both() -> list[Outcome]:
        kit = tried.kit()
        return await asyncio.gather(tried.run(kit), tried.run(kit, proposal_id="p-2"))

    one, other = asyncio.run(both())
    assert other == one.model_copy(update={"proposal_id": "p-2"})
    assert len(tried.runs()) == 1


def start_and_leave(tried: Bench, *, ended: bool = False) -> None:
    """Start the job as a process would that is killed before it has told anybody; `ended`: after the job's end."""

    async def leave() -> None:
        running = await start_job(make_spec(tried.kit(), tried.campaign, {"x": 0.5}, 3, None))
        if ended:
            await running.wait()
        running.close()

    asyncio.run(leave())


def piped(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A pipe for which the job waits before it ends."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    return pipe, {"environment": {"RUNS_FILE": str(tmp_path / "runs"), "PIPE": str(pipe)}}


def test_a_job_that_outlived_the_program_is_attached_to(bench, tmp_path: Path) -> None:
    pipe, changes = piped(tmp_path)
    tried = bench(**changes)
    start_and_leave(tried)

    def emit(event: AnyEvent) -> None:
        tried.told.append(event)
        if isinstance(event, JobStarted):
            pipe.write_text("go")

    outcome = asyncio.run(tried.run(tried.kit(emit=emit)))
    assert (outcome.status, outcome.attempt) == ("ok", 1)
    assert len(tried.runs()) == 1
    assert isinstance(tried.told[0], JobStarted)


def test_a_job_that_ended_while_nobody_looked_is_told_of_all_the_same(bench) -> None:
    tried = bench()
    start_and_leave(tried, ended=True)
    outcome = asyncio.run(tried.run(tried.kit()))
    assert outcome.status == "ok"
    assert [event.attempt for event in tried.told if isinstance(event, JobStarted)] == [1]
    assert len(tried.runs()) == 1


@pytest.mark.parametrize("retries", [0, 2])
def test_a_lost_job_is_tried_again_as_often_as_the_campaign_says(bench, tmp_path: Path, retries: int) -> None:
    _, changes = piped(tmp_path)
    tried = bench(retries=retries, **changes)

    def emit(event: AnyEvent) -> None:
        """Kill the keeper of every attempt."""
        tried.told.append(event)
        if isinstance(event, JobReported) and event.metrics.get("step") == 2:
            kept = read_started(tmp_path / "experiments" / event.job_id)
            assert kept is not None
            os.kill(kept.pid, signal.SIGKILL)

    outcome = asyncio.run(tried.run(tried.kit(emit=emit)))
    assert (outcome.status, outcome.cause, outcome.attempt) == ("failed", "lost", retries + 1)
    assert len(tried.runs()) == retries + 1
    assert [e.attempt for e in tried.told if isinstance(e, JobStarted)] == list(range(1, retries + 2))


def test_a_cancelled_attempt_is_no_attempt_lost(bench, tmp_path: Path) -> None:
    pipe, changes = piped(tmp_path)
    tried = bench(retries=0, **changes)

    async def interrupt() -> None:
        under_way = asyncio.Event()
        kit = tried.kit(emit=lambda event: under_way.set() if isinstance(event, JobReported) else None)
        task = asyncio.create_task(tried.run(kit))
        await under_way.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupt())
    assert first_attempt(make_spec(tried.kit(), tried.campaign, {"x": 0.5}, 3, None)) == 2
    [effect] = tried.ledger.effects.of("tiny-1")
    assert effect.state == "started"  # nothing is concluded from an interruption

    async def again() -> Outcome:
        kit = tried.kit(emit=lambda event: isinstance(event, JobStarted) and pipe.write_text("go"))
        return await tried.run(kit)

    outcome = asyncio.run(again())
    assert (outcome.status, outcome.attempt) == ("ok", 2)


def test_one_whose_job_was_taken_over_does_not_answer(bench) -> None:
    tried = bench()
    spec = make_spec(tried.kit(), tried.campaign, {"x": 0.5}, 3, None)

    def emit(event: AnyEvent) -> None:
        if isinstance(event, JobStarted):
            tried.ledger.effects.begin(spec.id, "job", "tiny-1", {"config": {"x": 0.5}, "seed": 3})

    with pytest.raises(BusyError, match="taken over"):
        asyncio.run(tried.run(tried.kit(emit=emit)))
    [effect] = tried.ledger.effects.of("tiny-1")
    assert effect.state != "finished"


# ------------------------------------------------------------------------------------------------ early stop


def experiment(curve: list[tuple[int, float]], status: str = "ok") -> Experiment:
    asked = proposal(len(curve) / 100)
    outcome = Outcome(job_id="j", proposal_id=asked.id, status=status, config={}, seed=0, curve=tuple(curve))
    return Experiment(proposal=asked, outcome=outcome, score=0.0)


def plan(bench: Callable[..., Bench], goal: str = "maximize", quantile: float = 0.5) -> Campaign:
    early = {"metric": "acc", "goal": goal, "after_step": 1, "quantile": quantile, "min_jobs": 3}
    campaign: Campaign = bench(early_stop=early).campaign
    return campaign


CURVES = [[(0, 0.0), (1, v), (2, 2 * v)] for v in (0.1, 0.2, 0.3)]


@pytest.mark.parametrize(
    ("goal", "quantile", "expected"),
    [("maximize", 0.5, 0.2), ("minimize", 0.5, 0.2), ("maximize", 0.25, 0.15), ("minimize", 0.25, 0.25)],
)
def test_hopeless_is_worse_than_the_quantile_in_the_metrics_own_direction(bench, goal, quantile, expected) -> None:
    rule = stop_rule(plan(bench, goal, quantile), [experiment(curve) for curve in CURVES])
    assert rule is not None
    assert set(rule.thresholds) == {1, 2}
    assert rule.thresholds[1] == pytest.approx(expected)
    assert rule.goal == goal


def test_only_whole_jobs_are_compared_and_enough_of_them(bench) -> None:
    campaign = plan(bench)
    assert stop_rule(campaign, [experiment(curve) for curve in CURVES[:2]]) is None
    assert stop_rule(campaign, [*(experiment(c) for c in CURVES[:2]), experiment(CURVES[2], "stopped")]) is None
    short = stop_rule(campaign, [*(experiment(c) for c in CURVES[:2]), experiment(CURVES[2][:2])])
    assert short is not None
    assert set(short.thresholds) == {1}
    assert stop_rule(bench().campaign, [experiment(curve) for curve in CURVES]) is None


def test_python_of_the_command_is_this_one(bench) -> None:
    tried = bench()
    assert make_spec(tried.kit(), tried.campaign, {"x": 0.5}, 3, None).command[0] == sys.executable
