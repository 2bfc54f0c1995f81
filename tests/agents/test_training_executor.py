"""Training jobs from plain code, in this process: real jobs, one queue, nothing lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.training.executor import JobStatus, TrainingExecutionError, TrainingExecutor, get_training_executor
from core.campaign import Campaign
from core.errors import ConfigError
from runtime.jobs import JobState

HANG_S = 60.0
ROOT = Path(__file__).parents[2]
TRAIN = """
    import json, os, sys, time
    config = json.load(open(sys.argv[1]))
    with open(os.path.join(os.path.dirname(__file__), "runs"), "a") as file:
        file.write(config["name"] + "\\n")
    print(json.dumps({"step": 1, "score": 0.0}), flush=True)
    while config.get("gate") and not os.path.exists(config["gate"]):
        time.sleep(0.005)
    if config.get("crash"):
        raise SystemExit("out of luck")
    print(json.dumps({"score": config["x"] + config["seed"]}))
"""

Open = Callable[..., TrainingExecutor]


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    (tmp_path / "train.py").write_text(textwrap.dedent(TRAIN))
    return Campaign.model_validate(
        {
            "name": "toy",
            "command": ["{python}", "-I", "-S", "{here}/train.py", "{config}"],
            "objective": {"metric": "score"},
            "space": {"x": {"type": "float", "low": 0, "high": 1}},
            "baseline": {"x": 0.5, "name": "?"},
            "here": str(tmp_path),
        }
    )


@pytest.fixture
def executor(tmp_path: Path, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainingExecutor]:
    monkeypatch.delenv("CONTROL_PLANE_URL", raising=False)
    with get_training_executor(
        poll_interval=10, max_concurrent_jobs=2, campaign=campaign, home=tmp_path / "home"
    ) as executor:
        yield executor


def proposal(name: str, **config: Any) -> dict[str, Any]:
    return {"experiment_id": name, "config": {"x": 0.5, "name": name, **config}}


def runs(tmp_path: Path) -> list[str]:
    path = tmp_path / "runs"
    return sorted(path.read_text().split()) if path.exists() else []


def test_submit_wait_collect(executor: TrainingExecutor) -> None:
    job = executor.submit_job(
        {
            "experiment_id": "e1",
            "type": "hyperparameter_tuning",
            "changes": {"x": 0.25},
            "seed": 2,
            "risk_level": "medium",
        },
        requires_approval=False,
    )
    assert (job.experiment_id, job.config) == ("e1", {"x": 0.25, "name": "?"})
    assert executor.wait_for_completion(["e1"], timeout=HANG_S) == {"e1": JobStatus.COMPLETED}
    results = executor.collect_results("e1")
    assert results.pop("duration_seconds") > 0
    assert results == {
        "experiment_id": "e1",
        "config": {"x": 0.25, "name": "?"},
        "metrics": {"score": 2.25},
        "status": "COMPLETED",
        "proposal_type": "hyperparameter_tuning",
        "risk_level": "medium",
    }
    assert executor.get_job_status("e1") is JobState.COMPLETED


def test_jobs_over_the_limit_wait_in_line_by_themselves(executor: TrainingExecutor, tmp_path: Path) -> None:
    gate = tmp_path / "go"
    jobs = executor.submit_batch([proposal(f"e{n}", gate=str(gate)) for n in range(4)])
    assert len(jobs) == 4
    assert executor.wait_for_completion(["e3"], timeout=0.05) == {"e3": JobStatus.QUEUED}
    gate.touch()
    names = [job.experiment_id for job in jobs]
    assert set(executor.wait_for_completion(names, timeout=HANG_S).values()) == {JobStatus.COMPLETED}
    assert [job.experiment_id for job in executor.list()] == names


def test_one_bad_proposal_of_a_batch_fails_alone(executor: TrainingExecutor, tmp_path: Path) -> None:
    bad: list[dict[str, Any]] = [{"experiment_id": "no id/", "config": {}}, {"config": {}}, {"experiment_id": "n"}]
    bad.append(proposal("nan", x=float("nan")))
    jobs = executor.submit_batch([*bad, proposal("good"), proposal("crash", crash=True)])
    assert [job.status for job in jobs[:4]] == [JobStatus.FAILED] * 4
    assert all(job.reason for job in jobs[:4])
    states = executor.wait_for_completion(["nan", "good", "crash"], timeout=HANG_S)
    assert states == {"nan": JobStatus.FAILED, "good": JobStatus.COMPLETED, "crash": JobStatus.FAILED}
    assert executor.collect_results("nan")["metrics"] == {}
    failed = executor.results("crash")
    assert (failed.outcome, failed.exit_code) == ("failed", 1)
    assert "out of luck" in failed.reason
    assert runs(tmp_path) == ["crash", "good"]


def test_a_single_bad_proposal_raises(executor: TrainingExecutor) -> None:
    for bad in ({}, {"experiment_id": "a b", "config": {}}, {"experiment_id": "e", "config": [1]}):
        with pytest.raises(TrainingExecutionError):
            executor.submit_job(bad)
    executor.submit_job(proposal("taken"))
    with pytest.raises(TrainingExecutionError, match="another request"):
        executor.submit_job(proposal("taken", x=0.75))
    with pytest.raises(TrainingExecutionError, match="no experiment"):
        executor.wait_for_completion(["unknown"], timeout=1)


def test_the_same_proposal_is_the_same_job(executor: TrainingExecutor, tmp_path: Path) -> None:
    for _ in range(3):
        executor.submit_job(proposal("once"))
    executor.wait_for_completion(["once"], timeout=HANG_S)
    executor.submit_job(proposal("once"))
    assert runs(tmp_path) == ["once"]


def test_cancel(executor: TrainingExecutor, tmp_path: Path) -> None:
    executor.submit_batch([proposal(f"e{n}", gate=str(tmp_path / "never")) for n in range(3)])
    assert executor.cancel("e2")  # waits in line
    assert executor.cancel("e0")
    assert not executor.cancel("e0")
    states = executor.wait_for_completion(["e0", "e2"], timeout=HANG_S)
    assert set(states.values()) == {JobStatus.CANCELLED}
    assert executor.get_job_status("e1") is not JobStatus.CANCELLED


def test_failed_jobs_are_tried_again_by_policy(executor: TrainingExecutor, tmp_path: Path) -> None:
    executor.submit_job(proposal("plain", crash=True))
    executor.wait_for_completion(["plain"], timeout=HANG_S)
    cause = executor.results("plain").cause
    executor.submit_job({**proposal("again", crash=True), "retries": {"failed": {cause: 2}}})
    executor.wait_for_completion(["again"], timeout=HANG_S)
    assert executor.results("again").attempt == 3
    assert runs(tmp_path) == ["again"] * 3 + ["plain"]


def test_a_job_that_needs_approval_waits_for_it(executor: TrainingExecutor, tmp_path: Path) -> None:
    asked = executor.submit_job(proposal("asked"), requires_approval=True)
    assert asked.status is JobStatus.PENDING
    assert executor.decide(asked.approval_id, approve=True).decision == "approve"
    with pytest.raises(TrainingExecutionError, match="was answered"):
        executor.decide(asked.approval_id, approve=False)
    assert executor.wait_for_completion(["asked"], timeout=HANG_S) == {"asked": JobStatus.COMPLETED}
    assert runs(tmp_path) == ["asked"]


def test_a_configuration_may_be_made_by_another_part(tmp_path: Path, campaign: Campaign) -> None:
    def make(told: Any) -> dict[str, Any]:
        if told["changes"]["x"] > 1:
            raise ConfigError("x is 2, it must be in 0 … 1")
        return {"name": "made", **told["changes"]}

    with get_training_executor(campaign=campaign, config_of=make, home=tmp_path / "home") as executor:
        assert executor.submit_job({"experiment_id": "e", "changes": {"x": 0.25}}).config == {"name": "made", "x": 0.25}
        with pytest.raises(TrainingExecutionError, match="x is 2"):
            executor.submit_job({"experiment_id": "f", "changes": {"x": 2}})


def test_it_works_inside_a_running_loop_and_says_when_it_was_closed(tmp_path: Path, campaign: Campaign) -> None:
    async def main() -> TrainingExecutor:
        executor = get_training_executor(campaign=campaign, home=tmp_path / "home")
        executor.submit_job(proposal("e"))
        assert executor.wait_for_completion(["e"], timeout=HANG_S) == {"e": JobStatus.COMPLETED}
        executor.close()
        return executor

    executor = asyncio.run(main())
    executor.close()
    with pytest.raises(TrainingExecutionError, match="was closed"):
        executor.submit_job(proposal("f"))


def test_without_a_campaign_there_is_nothing_to_run(tmp_path: Path) -> None:
    with pytest.raises(TrainingExecutionError, match="what command"):
        get_training_executor(home=tmp_path)


def test_a_killed_process_loses_nothing(tmp_path: Path, campaign: Campaign) -> None:
    """kill -9 with one job running and one in line: the next executor ends both, each ran once."""
    gate = tmp_path / "go"
    (tmp_path / "campaign.json").write_text(campaign.model_dump_json())
    script = f"""
        import os, signal
        from pathlib import Path
        from agents.training.executor import get_training_executor
        from core.campaign import Campaign
        here = Path({str(tmp_path)!r})
        campaign = Campaign.model_validate_json((here / "campaign.json").read_text())
        executor = get_training_executor(max_concurrent_jobs=1, campaign=campaign, home=here / "home")
        for name in ("running", "waiting"):
            executor.submit_job({{"experiment_id": name, "config": {{"x": 0.5, "name": name, "gate": {str(gate)!r}}}}})
        while not (here / "runs").exists():
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, timeout=HANG_S, check=False)
    assert done.returncode == -9
    with get_training_executor(max_concurrent_jobs=1, campaign=campaign, home=tmp_path / "home") as executor:
        assert executor.get_job_status("waiting") is JobStatus.QUEUED
        gate.touch()
        states = executor.wait_for_completion(["running", "waiting"], timeout=HANG_S)
    assert states == {"running": JobStatus.COMPLETED, "waiting": JobStatus.COMPLETED}
    assert runs(tmp_path) == ["running", "waiting"]
