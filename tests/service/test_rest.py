"""The contract of REST, over real HTTP with a real server process and real campaigns."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from command_line import Finished, write_campaign
from rest_process import HANG_S, TOKEN, Serving, next_message, problem

from core.process import identify

RUN = "tiny-1"


@pytest.fixture(scope="module")
def serving(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    base = tmp_path_factory.mktemp("serving")
    shutil.copytree(finished.home, base / "home")
    folder = write_campaign(base / "tiny")
    with Serving(base / "home", "--campaign", str(folder)) as serving:
        yield serving


@pytest.fixture(scope="module")
def client(serving: Serving) -> Iterator[httpx.Client]:
    with serving.client() as client:
        yield client


def get(client: httpx.Client, path: str, **query: Any) -> Any:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def everything(client: httpx.Client, path: str, name: str, **query: Any) -> list[Any]:
    """All pages of a list."""
    found: list[Any] = []
    after: dict[str, str] = {}
    while True:
        told = get(client, path, **query, **after)
        found += told[name]
        if told["next"] is None:
            return found
        assert told[name]
        after = {"after": told["next"]}


def wait_until_ended(client: httpx.Client, campaign: str) -> dict[str, Any]:
    deadline = time.monotonic() + HANG_S
    while time.monotonic() < deadline:
        told: dict[str, Any] = get(client, f"/api/campaigns/{campaign}")
        if told["status"] != "running":
            return told
        time.sleep(0.1)
    raise AssertionError(f"{campaign} does not end")


# ------------------------------------------------------------------- looking


def test_what_it_tells_is_what_the_run_told(client: httpx.Client, finished: Finished) -> None:
    told = get(client, f"/api/campaigns/{RUN}")
    assert (told["status"], told["finished_cycles"]) == ("finished", 3)
    assert told["best"]["proposal"] == finished.result["best"]["proposal"]
    listed = get(client, "/api/campaigns")["campaigns"]
    assert listed[0]["campaign"] == RUN
    assert listed[0]["best"] == told["best"]["value"]


@pytest.mark.parametrize(
    ("path", "name"), [("trials", "trials"), ("jobs", "jobs"), ("decisions", "decisions"), ("events", "events")]
)
def test_pages_one_by_one_are_the_whole(client: httpx.Client, path: str, name: str) -> None:
    whole = get(client, f"/api/campaigns/{RUN}/{path}", limit=500)
    assert whole["next"] is None
    assert everything(client, f"/api/campaigns/{RUN}/{path}", name, limit=4) == whole[name]
    problem(client.get(f"/api/campaigns/{RUN}/{path}", params={"after": "nothing"}), 422 if path == "events" else 404)


def test_a_decision_from_the_list_to_why(client: httpx.Client) -> None:
    cycle = get(client, f"/api/campaigns/{RUN}/cycles/1")
    decided = get(client, f"/api/campaigns/{RUN}/decisions", cycle=1)["decisions"]
    assert [one["proposal"] for one in decided] == cycle["decided"]
    ran = next(one for one in decided if one["value"] is not None)
    why = get(client, f"/api/campaigns/{RUN}/decisions/{ran['proposal']}")
    assert why["outcome"]["value"] == ran["value"]
    assert why["outcome"]["job"] == ran["job"]
    job = get(client, f"/api/campaigns/{RUN}/jobs/{ran['job']}")
    assert job["outcome"]["proposal_id"] == ran["proposal"]
    logs = get(client, f"/api/campaigns/{RUN}/jobs/{ran['job']}/logs")
    assert "a line" in logs["stdout"]["text"]
    assert "\x1b" not in logs["stdout"]["text"]


def test_episodes_by_the_contract(client: httpx.Client) -> None:
    episodes = get(client, f"/admin/training/episodes/{RUN}")["episodes"]
    assert [one["episode_id"] for one in episodes] == [f"{RUN}_ep{n:04d}" for n in (1, 2, 3)]
    one = get(client, f"/admin/training/episodes/{RUN}/{RUN}_ep0002")
    assert one["episode_number"] == 2
    assert one == get(client, f"/admin/training/episodes/{RUN}/2")
    summary = get(client, f"/admin/training/runs/{RUN}/summary")
    assert summary["total_episodes"] == summary["completed"] == 3
    assert summary["total_changes_proposed"] == sum(e["metrics"]["changes_proposed"] for e in episodes)
    problem(client.get("/admin/training/runs/nobody/summary"), 404)
    problem(client.get(f"/admin/training/episodes/{RUN}/other_ep0001"), 404)


def test_report_memory_agents_policy_and_audit(client: httpx.Client) -> None:
    page = client.get(f"/api/campaigns/{RUN}/report")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script>alert" not in page.text
    found = get(client, "/api/memory/search", text="x=0.3", k=2)["memories"]
    assert len(found) == 2
    assert {row["name"] for row in get(client, f"/api/campaigns/{RUN}/agents")["voters"]} >= {"novelty"}
    assert get(client, "/api/policy/DEPLOY")["answer"] == "denied"
    get(client, f"/api/campaigns/{RUN}")  # in whatever order the tests are run
    entries = everything(client, "/api/audit", "entries", limit=3)
    assert [e["seq"] for e in entries] == list(range(entries[0]["seq"], 0, -1))
    assert any(e["route"] == "GET /api/campaigns/{campaign}" for e in entries)
    assert sum(e["route"] == "GET /api/audit" for e in entries) == 1  # looking is kept once a way, not each time


def test_feedback_on_a_text(client: httpx.Client) -> None:
    code = 'def add(a: int, b: int) -> int:\n    """Subtract."""\n    return a + b\n'
    told = client.post("/api/feedback", json={"code": code, "iterations": 1, "guidance": ["Focus on type hints"]})
    assert told.status_code == 200, told.text
    assert told.json()["path"] == "code.py"
    assert 0 <= told.json()["reward"] <= 1
    problem(client.post("/api/feedback", json={"code": "def ("}), 422)


# ---------------------------------------------------------------- being let in


def test_nothing_without_the_token_but_health_and_the_description(serving: Serving) -> None:
    with serving.client(token="") as nobody, serving.client(token=TOKEN + "x") as other:
        described = nobody.get("/openapi.json").json()
        assert nobody.get("/healthz").json() == {"status": "ok"}
        for path, operations in described["paths"].items():
            for method in operations:
                if path != "/healthz":
                    where = path.replace("{", "").replace("}", "")
                    assert problem(nobody.request(method, where), 401)["where"] == "Authorization"
                    problem(other.request(method, where), 401)
        problem(nobody.get("/docs"), 401)


def test_foreign_names_and_pages_are_refused(client: httpx.Client, serving: Serving) -> None:
    problem(client.get("/api/campaigns", headers={"Host": "evil.example"}), 421)
    problem(client.get("/healthz", headers={"Host": "evil.example"}), 421)
    problem(client.post("/api/campaigns", headers={"Origin": "http://evil.example"}), 403)
    problem(client.get("/api/campaigns", headers={"Origin": "null"}), 403)
    assert client.get("/api/campaigns", headers={"Origin": serving.url}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/campaigns/..%2f..%2fetc",
        "/api/campaigns/%2e%2e",
        "/api/campaigns/a%00b",
        f"/api/campaigns/{RUN}/jobs/..%2f..%2fsecret/logs",
        f"/api/campaigns/{RUN}/jobs/j-0/logs",
        f"/admin/training/episodes/{RUN}/..%2f..%2fledger",
        "/admin/training/episodes/%2e%2e%2f%2e%2e",
        "/nowhere",
    ],
)
def test_ids_are_no_paths(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    problem(answer, answer.status_code)


def test_hostile_bodies_are_refused_early(client: httpx.Client, serving: Serving) -> None:
    start = "/admin/training/start"

    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 65536

    for content in (b" " * 1_048_577, endless()):
        try:
            answer = client.post(start, content=content, headers={"Content-Type": "application/json"})
        except httpx.HTTPError:
            continue  # it hung up in the middle of the body
        problem(answer, 413)
    json_type = {"Content-Type": "application/json"}
    problem(client.post(start, content=b"[" * 1_000_000, headers=json_type), 400)
    problem(client.post(start, content=b'{"episodes": ' + b"9" * 900_000 + b"}", headers=json_type), 400)
    problem(client.post(start, content=b'{"episodes": 1e999}', headers=json_type), 422)
    problem(client.post(start, content=b"\xff\xfe", headers=json_type), 400)
    assert client.get("/healthz").status_code == 200
    head = (f"POST {start} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {TOKEN}", f"Content-Length: {10**9}")
    with socket.create_connection(("127.0.0.1", int(serving.url.rpartition(":")[2]))) as raw:
        raw.sendall("\r\n".join([*head, "", ""]).encode())
        raw.settimeout(HANG_S)
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")  # told before a byte of the body came


def test_unknown_fields_and_parameters_are_named(client: httpx.Client) -> None:
    assert problem(client.get("/api/campaigns", params={"limitt": 3}), 422)["where"] == "query.limitt"
    told = problem(client.post("/admin/training/start", json={"episodes": 1, "dryrun": True}), 422)
    assert told["where"] == "body.dryrun"
    problem(client.post("/admin/training/start", json={"episodes": "1"}), 422)
    problem(client.post("/api/campaigns", json={"campaign": "unknown"}), 404)


# ------------------------------------------------------------------ starting


def test_a_dry_run_starts_nothing(client: httpx.Client) -> None:
    before = get(client, "/api/campaigns")
    told = client.post("/admin/training/start", json={"episodes": 4, "dry_run": True}).json()
    assert (told["status"], told["run_id"], told["episode_id"]) == ("dry_run", "tiny-2", "tiny-2_ep0001")
    assert get(client, "/api/campaigns") == before


def test_a_started_run_outlives_its_server_and_another_one_follows_it(serving: Serving, client: httpx.Client) -> None:
    options = ("--campaign", str(serving.home.parent / "tiny"))
    with Serving(serving.home, *options) as first, first.client() as starting:
        key = {"Idempotency-Key": "once"}
        body = {"run_id": "mine", "episodes": 2, "task_description": "find x"}
        problem(client.get("/api/events", params={"campaign": "mine"}), 404)
        with client.stream("GET", "/api/events") as stream:
            lines = stream.iter_lines()
            told = starting.post("/admin/training/start", json=body, headers=key)
            assert told.status_code == 200, told.text
            assert told.json()["status"] == "started"
            assert (told.json()["run_id"], told.json()["episode_id"]) == ("mine", "mine_ep0001")
            assert 0 < told.json()["risk_score"] < 1
            assert starting.post("/admin/training/start", json=body, headers=key).json() == told.json()
            problem(starting.post("/admin/training/start", json={**body, "episodes": 3}, headers=key), 409)
            message = next_message(lines)
            assert message["event"] == "CampaignStarted"
            assert json.loads(message["data"])["campaign_id"] == "mine"
        run = identify(told.json()["pid"])
        assert os.getsid(run.pid) == run.pid  # a session of its own
        first.kill()
        assert run.alive()
    seen, place = [], message["id"]
    with client.stream("GET", "/api/events", params={"campaign": "mine"}, headers={"Last-Event-ID": place}) as stream:
        lines = stream.iter_lines()
        while not seen or seen[-1]["event"] != "CampaignFinished":
            seen.append(next_message(lines))
    numbers = [int(one["id"]) for one in seen]
    assert numbers[0] > int(place)
    stored = everything(client, "/api/campaigns/mine/events", "events", limit=100)
    assert [e["seq"] for e in stored if int(place) < e["seq"] <= numbers[-1]] == numbers
    assert wait_until_ended(client, "mine")["finished_cycles"] == 2
    assert get(client, "/admin/training/runs/mine/summary")["completed"] == 2
    problem(client.post("/api/campaigns/mine/resume"), 409)


def test_stop_a_run_and_go_on_with_it(client: httpx.Client, serving: Serving) -> None:
    slow = serving.home.parent / "tiny" / "slow"  # jobs then wait
    slow.touch()
    started = client.post("/api/campaigns", json={"cycles": 1})
    assert started.status_code == 202, started.text
    campaign = started.json()["campaign"]
    problem(client.post(f"/api/campaigns/{campaign}/resume"), 409)  # it is being run
    jobs: list[Any] = []
    deadline = time.monotonic() + HANG_S
    while not jobs and time.monotonic() < deadline:
        running = get(client, f"/api/campaigns/{campaign}")["running"]
        jobs = [one["job"] for one in running if one["purpose"] == "proposal"]
        time.sleep(0.1)
    ended = client.post(f"/api/campaigns/{campaign}/jobs/{jobs[0]}/cancel").json()
    assert ended["asked"] is True
    slow.unlink()
    stopped = client.post(f"/api/campaigns/{campaign}/stop").json()
    assert (stopped["asked"], stopped["pid"]) == (True, started.json()["pid"])
    assert wait_until_ended(client, campaign)["status"] == "interrupted"
    rows = everything(client, f"/api/campaigns/{campaign}/jobs", "jobs")
    assert next(row for row in rows if row["job"] == jobs[0])["status"] == "cancelled"
    assert client.post(f"/api/campaigns/{campaign}/stop").json()["asked"] is False
    again = client.post(f"/api/campaigns/{campaign}/cycles", headers={"Idempotency-Key": "go"})
    assert again.status_code == 202, again.text
    assert wait_until_ended(client, campaign)["finished_cycles"] == 1


def test_a_place_that_the_ledger_has_not_come_to_is_now(client: httpx.Client) -> None:
    with client.stream("GET", "/api/events", headers={"Last-Event-ID": str(10**12)}) as stream:
        first = next(stream.iter_lines())
    newest = max(event["seq"] for event in everything(client, f"/api/campaigns/{RUN}/events", "events", limit=500))
    assert newest <= int(first.removeprefix(": after ")) < 10**6


def test_sigterm_ends_open_streams_and_the_server(serving: Serving, client: httpx.Client) -> None:
    streams = [client.stream("GET", "/api/events") for _ in range(5)]
    opened = [stream.__enter__() for stream in streams]
    lines = [answer.iter_lines() for answer in opened]
    for each in lines:
        assert next(each).startswith(":")
    assert serving.terminate() == 143
    assert all(not any(line.startswith("data") for line in each) for each in lines)  # they end, without an error
    for stream in streams:
        stream.__exit__(None, None, None)
