"""What REST refuses and why: capabilities, roles, questions to a person; and pull requests, over the app itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import Cli
from rest_process import TOKEN, problem
from starlette.testclient import TestClient

from core.policy import CAPABILITIES
from core.settings import Settings
from memory.audit import Audit
from service.operations.desk import Asker, Desk, open_desk
from service.operations.table import OPERATIONS
from service.operations.tail import Tail
from service.policy.policy import SHIPPED
from service.rest.app import create_app
from tests.github_server.repository import Repository
from tests.github_server.server import TOKEN as GITHUB_TOKEN
from tests.github_server.server import Fault, GitHubServer

OWNER = Asker("token", ("owner",), capabilities=frozenset(CAPABILITIES))
PROPOSAL = {
    "title": "Say hello",
    "description": "It was silent.",
    "repo_owner": "octo",
    "repo_name": "demo",
    "changes": [{"file_path": "a.py", "original_content": "a = 1\n", "new_content": "a = 2\n", "rationale": "two"}],
}


@contextmanager
def asking(home: Path, asker: Asker = OWNER, **settings: Any) -> Iterator[tuple[TestClient, Desk]]:
    with open_desk(Settings(home=home, embedding_model="hash", **settings), asker) as desk:
        app = create_app(desk, Tail(desk.ledger), token=TOKEN)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with TestClient(app, base_url="http://127.0.0.1", headers=headers, raise_server_exceptions=False) as client:
            yield client, desk


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    with GitHubServer(Repository("octo/demo", {"a.py": b"a = 1\n"})) as running:
        monkeypatch.setenv("GITHUB_TOKEN", GITHUB_TOKEN)
        monkeypatch.setenv("GITHUB_API_URL", running.url)
        yield running


@pytest.mark.parametrize(
    ("path", "body", "capability"),
    [
        ("/admin/training/start", {"episodes": 1}, "ENABLE_TRAINING"),
        ("/api/campaigns", {"cycles": 1}, "ENABLE_TRAINING"),
        ("/admin/training/propose-pr", PROPOSAL, "ENABLE_AUTONOMY"),
        ("/admin/training/propose-pr", {**PROPOSAL, "dry_run": True}, "ENABLE_AUTONOMY"),
    ],
)
def test_a_missing_capability_is_named(tmp_path: Path, path: str, body: dict[str, Any], capability: str) -> None:
    with asking(tmp_path, replace(OWNER, capabilities=frozenset())) as (client, desk):
        told = problem(client.post(path, json=body), 403)  # the same answer, another client
        assert f"{capability} is missing" in told["detail"]
        (entry,) = Audit(desk.ledger.database).entries()
        assert (entry.decision, entry.rule, entry.route, entry.actor) == (
            "denied",
            "capability",
            f"POST {path}",
            "token",
        )
        assert desk.ledger.campaigns() == []


def test_a_viewer_looks_and_does_nothing(tmp_path: Path) -> None:
    with asking(tmp_path, replace(OWNER, roles=("viewer",))) as (client, desk):
        assert client.get("/api/campaigns").status_code == 200
        for operation in (one for one in OPERATIONS if one.changes and "{" not in one.path):
            bodies = {"/admin/training/propose-pr": PROPOSAL}
            problem(client.post(operation.path, json=bodies.get(operation.path, {})), 403)
        assert {e.rule for e in Audit(desk.ledger.database).entries(decision="denied")} == {"role"}


def test_a_pull_request_waits_for_a_person_and_their_yes_holds_once(tmp_path: Path, github: GitHubServer) -> None:
    path = "/admin/training/propose-pr"
    with asking(tmp_path) as (client, _):
        rehearsed = client.post(path, json={**PROPOSAL, "dry_run": True})
        assert rehearsed.status_code == 200, rehearsed.text
        assert rehearsed.json()["result"]["status"] == "dry_run"
        assert rehearsed.json()["result"]["requests"]
        waits = problem(client.post(path, json=PROPOSAL), 409)
        question = waits["approval_id"]
        (listed,) = client.get("/api/approvals").json()["approvals"]
        assert listed["id"] == question
        yes = {"Approval-Id": question}
        problem(client.post(path, json=PROPOSAL, headers=yes), 409)  # nobody has said it
        answer = {"kind": "accept", "shown_hash": listed["shown_hash"]}
        problem(client.post(f"/api/approvals/{question}", json={**answer, "shown_hash": "0" * 64}), 409)
        assert client.post(f"/api/approvals/{question}", json=answer).json()["state"] == "answered"
        problem(client.post(f"/api/approvals/{question}", json=answer), 409)  # the first counts
        other = {**PROPOSAL, "title": "Something else"}
        problem(client.post(path, json=other, headers=yes), 409)
        opened = client.post(path, json=PROPOSAL, headers={**yes, "Idempotency-Key": "k"})
        assert opened.status_code == 200, opened.text
        told = opened.json()
        assert (told["result"]["status"], told["result"]["pr_number"]) == ("created", 1)
        assert told["branch"] == f"aura-sicd/{told['proposal_id']}"
        assert 0 < told["risk_score"] < 1
        assert client.post(path, json=PROPOSAL, headers={**yes, "Idempotency-Key": "k"}).json() == told
        problem(client.post(path, json=PROPOSAL, headers=yes), 409)  # the yes is used
        (row,) = client.get("/api/pull-requests").json()["pull_requests"]
        assert (row["pr_number"], row["state"]) == (1, "finished")


def test_a_failed_request_goes_on_under_its_key_with_the_yes_that_it_has_used(
    tmp_path: Path, github: GitHubServer
) -> None:
    path = "/admin/training/propose-pr"
    with asking(tmp_path) as (client, _):
        question = problem(client.post(path, json=PROPOSAL), 409)["approval_id"]
        shown = client.get(f"/api/approvals/{question}").json()["shown_hash"]
        assert client.post(f"/api/approvals/{question}", json={"kind": "accept", "shown_hash": shown}).is_success
        headers = {"Approval-Id": question, "Idempotency-Key": "k"}
        github.fail(Fault("403", at=3))
        problem(client.post(path, json=PROPOSAL, headers=headers), 502)
        for key in ({}, {"Idempotency-Key": "other"}, {"Idempotency-Key": "other"}):
            told = problem(client.post(path, json=PROPOSAL, headers={"Approval-Id": question, **key}), 409)
            assert "was used" in told["detail"]
        opened = client.post(path, json=PROPOSAL, headers=headers)
        assert opened.json()["result"]["status"] == "created", opened.text
        assert client.post(path, json=PROPOSAL, headers=headers).json() == opened.json()
        assert len(github.repository.pulls) == 1


def test_safe_mode_sends_nothing(tmp_path: Path, github: GitHubServer) -> None:
    with asking(tmp_path, safe_mode=True) as (client, _):
        told = problem(client.post("/admin/training/propose-pr", json=PROPOSAL), 403)
        assert "safe mode" in told["detail"]
        assert client.post("/admin/training/propose-pr", json={**PROPOSAL, "dry_run": True}).status_code == 200


def test_a_secret_in_a_change_stops_it(tmp_path: Path) -> None:
    leaking = {**PROPOSAL["changes"][0], "new_content": 'key = "ghp_' + "a1B2" * 9 + '"\n'}
    with asking(tmp_path) as (client, _):
        body = {**PROPOSAL, "changes": [leaking], "dry_run": True}
        told = problem(client.post("/admin/training/propose-pr", json=body), 422)
        assert "a1B2" not in str(told)


def test_metrics_are_told_to_who_has_the_token(tmp_path: Path) -> None:
    with asking(tmp_path) as (client, _):
        told = client.get("/metrics")
        assert told.headers["content-type"].startswith("text/plain")
        assert "ratchet_cycles_finished_total 0" in told.text
        problem(client.get("/metrics", headers={"Authorization": ""}), 401)


def test_what_is_refused_says_how_it_is_to_be_sent(tmp_path: Path) -> None:
    with asking(tmp_path) as (client, _):
        path = "/admin/training/propose-pr"
        for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
            told = problem(client.post(path, content="{}", headers=headers), 422)
            assert (told["where"], "application/json" in told["hint"]) == ("Content-Type", True)
        typed = {"Content-Type": "application/json"}
        assert "JSON object" in problem(client.post(path, content="[]", headers=typed), 422)["detail"]
        assert "character 6" in problem(client.post(path, content='{"a": nope}', headers=typed), 400)["detail"]
        assert problem(client.put("/api/campaigns"), 405)["hint"] == "it takes GET, POST"
        assert "openapi.json" in problem(client.get("/api/campaign"), 404)["hint"]


def test_a_parameter_is_given_once(tmp_path: Path) -> None:
    with asking(tmp_path) as (client, _):
        told = problem(client.get("/api/campaigns?limit=1&limit=2"), 422)
        assert (told["where"], told["detail"]) == ("query.limit", "it is given more than once")


@pytest.mark.parametrize("port", [99999, -1])
def test_what_is_no_port_is_refused(cli: Cli, tmp_path: Path, port: int) -> None:
    told = cli("serve", f"--port={port}", home=tmp_path / "home")
    assert told.code == 2
    assert f"{port} is no port" in told.err


def test_the_command_that_explains_a_refusal_explains_that_very_one(tmp_path: Path, cli: Cli) -> None:
    with asking(tmp_path, replace(OWNER, capabilities=frozenset())) as (client, _):
        told = problem(client.post("/admin/training/propose-pr", json=PROPOSAL), 403)
    words = shlex.split(told["hint"].split("`")[1])
    assert words[:2] == ["python", "run_graph.py"]
    explained = cli(*words[2:], "--json", home=tmp_path).json
    assert (explained["answer"], explained["rule"]) == ("denied", "capability")
    assert explained["context"]["route"] == "POST /admin/training/propose-pr"


def test_the_policy_of_another_door_can_be_asked_for(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    shipped = SHIPPED.read_text(encoding="utf-8")
    night = "{name: by-hand, actions: [PR_PROPOSE], when: {routes: [POST /admin/*]}, effect: deny, reason: by hand}"
    rules.write_text(shipped.replace("\nrules:\n", f"\nrules:\n  - {night}\n", 1))
    with asking(tmp_path / "home", policy_file=rules) as (client, _):
        assert client.get("/api/policy/PR_PROPOSE").json()["rule"] == "propose"
        told = client.get("/api/policy/PR_PROPOSE", params={"route": "POST /admin/training/propose-pr"}).json()
        assert (told["answer"], told["rule"]) == ("denied", "by-hand")
