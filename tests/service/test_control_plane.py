"""The contract of the control plane, over real HTTP with a real server process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from control_plane_process import HANG_S, TOKEN, NotStartedError, Plane, messages

from agents.training.executor import TrainingExecutionError, get_training_executor
from graph.loading import load_campaign
from runtime.jobs import JobState

OPEN = {"/health"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    with Plane(tmp_path_factory.mktemp("plane"), "--parallel", "2") as plane:
        yield plane


@pytest.fixture(scope="module")
def client(plane: Plane) -> Iterator[httpx.Client]:
    with plane.client() as client:
        yield client


def train(client: httpx.Client, name: str, **fields: Any) -> httpx.Response:
    config = {"x": 0.5, "name": name, **fields.pop("config", {})}
    return client.post("/train", json={"experiment_id": name, "config": config, **fields})


def follow(client: httpx.Client, name: str, after: int | None = None) -> list[dict[str, Any]]:
    """Every event of a job, to its end."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with client.stream("GET", f"/jobs/{name}/events", headers=headers) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        return list(messages(stream.iter_lines()))


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == status
    return told


# ------------------------------------------------------------------------ jobs


def test_a_job_from_submission_to_results(client: httpx.Client) -> None:
    submitted = train(client, "whole", seed=3, proposal_type="hyperparameter_tuning", risk_level="medium")
    assert submitted.status_code == 202
    assert submitted.json()["status"] in (JobState.QUEUED, JobState.RUNNING)
    events = follow(client, "whole")
    assert [e["status"] for e in events if e["kind"] == "state"] == ["QUEUED", "RUNNING", "COMPLETED"]
    assert [e["report"]["step"] for e in events if e["kind"] == "report"] == [1, 2, None]
    job = client.get("/jobs/whole").json()
    assert job["status"] == "COMPLETED"
    assert job["submitted_at"] <= job["started_at"] <= job["finished_at"]
    results = client.get("/jobs/whole/results").json()
    told = ("experiment_id", "config", "metrics", "status", "proposal_type", "risk_level")
    assert {name: results[name] for name in told} == {
        "experiment_id": "whole",
        "config": {"x": 0.5, "name": "whole"},
        "metrics": {"score": 1.03},
        "status": "COMPLETED",
        "proposal_type": "hyperparameter_tuning",
        "risk_level": "medium",
    }
    assert results["duration_seconds"] > 0


def test_the_same_submission_is_the_same_job(plane: Plane, client: httpx.Client) -> None:
    assert train(client, "once").status_code == 202
    assert train(client, "once").status_code == 200
    follow(client, "once")
    again = client.post(
        "/train",
        json={"experiment_id": "once", "config": {"x": 0.5, "name": "once"}},
        headers={"Idempotency-Key": "once"},
    )
    assert (again.status_code, again.json()["status"]) == (200, "COMPLETED")
    assert plane.runs().count("once") == 1


def test_another_request_of_the_same_id_is_refused(client: httpx.Client) -> None:
    train(client, "taken")
    told = problem(train(client, "taken", config={"x": 0.75}), 409)
    assert told["where"] == "config"
    problem(client.post("/train", json={"experiment_id": "k", "config": {}}, headers={"Idempotency-Key": "other"}), 409)


def test_a_failed_job_is_a_result(client: httpx.Client) -> None:
    train(client, "crash", config={"crash": True}, retries={"failed": {"exit_code": 0}})
    states = [e["status"] for e in follow(client, "crash") if e["kind"] == "state"]
    assert states[-1] == "FAILED"
    results = client.get("/jobs/crash/results").json()
    assert (results["outcome"], results["exit_code"], results["attempt"]) == ("failed", 3, 1)
    assert results["reason"]


def test_a_failed_job_is_tried_again_when_its_cause_is_named(plane: Plane, client: httpx.Client) -> None:
    train(client, "first", config={"crash": True})
    follow(client, "first")
    cause = client.get("/jobs/first/results").json()["cause"]
    train(client, "thrice", config={"crash": True}, retries={"failed": {cause: 2}})
    events = follow(client, "thrice")
    assert [e["attempt"] for e in events if e.get("status") == "RUNNING"] == [1, 2, 3]
    assert client.get("/jobs/thrice/results").json()["attempt"] == 3
    assert plane.runs().count("thrice") == 3


def test_over_the_limit_jobs_wait_and_can_be_cancelled(client: httpx.Client, tmp_path: Path) -> None:
    gate = tmp_path / "go"
    for name in ("a", "b", "c"):
        train(client, f"line-{name}", config={"gate": str(gate)})
    problem(client.get("/jobs/line-a/results"), 409)
    assert client.get("/jobs/line-c").json()["status"] == "QUEUED"
    assert client.post("/jobs/line-c/cancel").json()["status"] == "CANCELLED"
    assert client.post("/jobs/line-b/cancel").json()["status"] == "CANCELLED"
    gate.touch()
    assert follow(client, "line-a")[-1]["status"] == "COMPLETED"
    assert client.post("/jobs/line-a/cancel").json()["status"] == "COMPLETED"
    assert client.get("/jobs/line-b/results").json()["outcome"] == "cancelled"


def test_the_list_is_newest_first_and_filtered(client: httpx.Client) -> None:
    for number in range(3):
        train(client, f"listed-{number}")
        follow(client, f"listed-{number}")
    told = client.get("/jobs", params={"limit": 2}).json()
    assert [job["experiment_id"] for job in told["jobs"]] == ["listed-2", "listed-1"]
    assert told["total"] >= 3
    assert client.get("/jobs", params={"limit": 1, "offset": 2}).json()["jobs"][0]["experiment_id"] == "listed-0"
    assert all(job["status"] == "FAILED" for job in client.get("/jobs", params={"status": "FAILED"}).json()["jobs"])
    problem(client.get("/jobs", params={"status": "SLEEPING"}), 422)


# ---------------------------------------------------------------------- events


def test_events_resume_after_the_last_one_seen(client: httpx.Client) -> None:
    train(client, "resumed")
    whole = follow(client, "resumed")
    for position in (0, 2, len(whole) - 1):
        assert follow(client, "resumed", after=whole[position]["seq"]) == whole[position + 1 :]
    assert [e["seq"] for e in whole] == sorted({e["seq"] for e in whole})


def test_events_come_as_they_happen(client: httpx.Client, tmp_path: Path) -> None:
    """The report is read while the job cannot yet end."""
    gate = tmp_path / "go"
    train(client, "live", config={"gate": str(gate)})
    with client.stream("GET", "/jobs/live/events") as stream:
        seen = []
        for event in messages(stream.iter_lines()):
            seen.append(event)
            if event["kind"] == "report" and event["report"]["step"] == 2:
                gate.touch()
    assert seen[-1]["status"] == "COMPLETED"


def test_all_events_in_one_stream(plane: Plane, client: httpx.Client) -> None:
    with plane.client() as other, other.stream("GET", "/events") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith(": after ")
        for name in ("one", "two"):
            train(client, f"stream-{name}")
        ended = set()
        for event in messages(lines):
            assert event["experiment_id"] in ("stream-one", "stream-two")  # nothing of before
            if event.get("status") == "COMPLETED":
                ended.add(event["experiment_id"])
            if len(ended) == 2:
                break


# ------------------------------------------------------------------- approvals


def test_an_approval_counts_once(plane: Plane, client: httpx.Client) -> None:
    job = train(client, "asked", requires_approval=True).json()
    assert job["status"] == "PENDING"
    waiting = {a["experiment_id"]: a for a in client.get("/approvals").json()["approvals"]}
    approval = waiting["asked"]
    assert approval["id"] == job["approval_id"]
    answer = f"/approvals/{approval['id']}"
    problem(client.post(answer, json={"decision": "approve", "request_hash": "of another"}), 409)
    approved = client.post(answer, json={"decision": "approve", "request_hash": approval["request_hash"]})
    assert approved.json()["decision"] == "approve"
    problem(client.post(answer, json={"decision": "approve"}), 409)
    problem(client.post(answer, json={"decision": "reject"}), 409)
    assert follow(client, "asked")[-1]["status"] == "COMPLETED"
    assert plane.runs().count("asked") == 1
    assert "asked" not in {a["experiment_id"] for a in client.get("/approvals").json()["approvals"]}


def test_a_rejected_or_withdrawn_job_never_runs(plane: Plane, client: httpx.Client) -> None:
    rejected = train(client, "rejected", requires_approval=True).json()
    client.post(f"/approvals/{rejected['approval_id']}", json={"decision": "reject", "reason": "too dear"})
    assert client.get("/jobs/rejected").json()["reason"] == "too dear"
    withdrawn = train(client, "withdrawn", requires_approval=True).json()
    client.post("/jobs/withdrawn/cancel")
    problem(client.post(f"/approvals/{withdrawn['approval_id']}", json={"decision": "approve"}), 409)
    for name in ("rejected", "withdrawn"):
        assert follow(client, name)[-1]["status"] == "CANCELLED"
    assert not {"rejected", "withdrawn"} & set(plane.runs())
    problem(client.post("/approvals/none", json={"decision": "approve"}), 404)


# ------------------------------------------------------------- what is refused


def test_every_route_wants_the_token(plane: Plane, client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        "/train",
        "/jobs",
        "/jobs/{experiment_id}",
        "/jobs/{experiment_id}/results",
        "/jobs/{experiment_id}/cancel",
        "/jobs/{experiment_id}/events",
        "/events",
        "/approvals",
        "/approvals/{approval_id}",
        "/health",
    }
    for token in ("", "x" * len(TOKEN)):
        with plane.client(token) as stranger:
            assert stranger.get("/health").json()["status"] == "ok"
            for path, operations in paths.items():
                for method in operations:
                    if path not in OPEN:
                        told = problem(stranger.request(method, path, json={}), 401)
                        assert TOKEN not in str(told)


def test_the_description_is_whole(client: httpx.Client) -> None:
    """Security, tags and error answers on every route; every status that the tests here met is declared."""
    described = client.get("/openapi.json").json()
    for path, operations in described["paths"].items():
        for operation in operations.values():
            assert operation["tags"]
            assert "200" in operation["responses"] or "202" in operation["responses"]
            assert (path in OPEN) or (operation["security"] and "401" in operation["responses"])
            for status, answer in operation["responses"].items():
                if status.startswith(("4", "5")):
                    assert list(answer["content"]) == ["application/problem+json"]
    assert {"409", "403", "413", "422"} <= set(described["paths"]["/train"]["post"]["responses"])
    assert "Problem" in described["components"]["schemas"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 422),
        (b'{"experiment_id": "n"}', 422),
        (b'{"experiment_id": "../n", "config": {}}', 422),
        (b'{"experiment_id": "n", "config": {"x": NaN}}', 422),
        (b'{"experiment_id": "n", "config": {}, "colour": 1}', 422),
        (b'{"experiment_id": "n", "config": {}, "retries": {"lost": 99}}', 422),
        (b'{"experiment_id": "n", "config": ' + b"[" * 100_000 + b"}", 400),
        (b'{"experiment_id": "n", "config": {"x": "' + b"x" * 2_000_000 + b'"}}', 413),
    ],
)
def test_a_bad_request_gets_one_clear_error(client: httpx.Client, body: bytes, status: int) -> None:
    told = problem(client.post("/train", content=body, headers={"Content-Type": "application/json"}), status)
    assert told["detail"]
    problem(client.get("/jobs/n"), 404)


def test_a_body_without_a_length_is_bounded_too(client: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 65536

    problem(client.post("/train", content=endless(), headers={"Content-Type": "application/json"}), 413)


def test_only_registered_commands_run(client: httpx.Client) -> None:
    work = {"command": ["/bin/true"]}
    assert problem(train(client, "foreign", campaign="other"), 403)["where"] == "campaign"
    problem(train(client, "foreign", work=work), 403)
    problem(train(client, "foreign", campaign="toy", work=work), 403)
    problem(train(client, "foreign", campaign="toy", fingerprint="0" * 16), 403)
    problem(client.get("/jobs/foreign"), 404)


def test_a_foreign_host_name_is_refused(client: httpx.Client) -> None:
    problem(client.get("/jobs", headers={"Host": "evil.example:80"}), 421)


def test_a_second_one_on_the_same_folder_is_refused(plane: Plane) -> None:
    assert plane.process is not None
    other = Plane(plane.folder)
    with pytest.raises(NotStartedError, match=f"is being run by process {plane.process.pid}"):
        other.start()


def test_the_token_is_kept_private(plane: Plane) -> None:
    kept = plane.home / "control-plane" / "token"
    assert kept.read_text().strip() == TOKEN
    assert kept.stat().st_mode & 0o077 == 0


def test_a_training_executor_over_http(plane: Plane) -> None:
    """The calls of plain code at a control plane: nothing polled, one refusal fails one job."""
    with get_training_executor(plane.url, token=TOKEN, campaign=load_campaign(plane.campaign)) as executor:
        jobs = executor.submit_batch(
            [{"experiment_id": f"http-{n}", "changes": {"x": n / 4}, "seed": n} for n in range(3)]
            + [{"experiment_id": "not/an/id", "changes": {}}]
        )
        names = [job.experiment_id for job in jobs]
        states = executor.wait_for_completion(names, timeout=HANG_S)
        assert list(states.values()) == [JobState.COMPLETED] * 3 + [JobState.FAILED]
        assert [executor.collect_results(name)["metrics"] for name in names[:3]] == [
            {"score": 0.0},
            {"score": 0.51},
            {"score": 1.02},
        ]
        assert {"http-0", "http-1", "http-2"} <= {job.experiment_id for job in executor.list()}
        pending = executor.submit_job({"experiment_id": "http-p", "config": {"x": 0.5}}, requires_approval=True)
        assert executor.wait_for_completion(["http-p"], timeout=0.05) == {"http-p": JobState.PENDING}
        with pytest.raises(TrainingExecutionError, match="has not finished"):
            executor.collect_results("http-p")
        assert [one.id for one in executor.approvals()] == [pending.approval_id]
        assert executor.cancel("http-p")
        with pytest.raises(TrainingExecutionError, match="no experiment 'nobody'"):
            executor.collect_results("nobody")
    with (
        get_training_executor(plane.url, token="wrong", campaign=load_campaign(plane.campaign)) as stranger,
        pytest.raises(TrainingExecutionError, match="401"),
    ):
        stranger.submit_job({"experiment_id": "http-s", "config": {"x": 0.5}})


def test_unknown_things_are_not_found(client: httpx.Client) -> None:
    for path in ("/jobs/nobody", "/jobs/nobody/results", "/jobs/nobody/events", "/nothing"):
        problem(client.get(path), 404)
    problem(client.post("/jobs/nobody/cancel"), 404)
    problem(client.delete("/jobs"), 405)
