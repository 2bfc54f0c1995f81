"""One branch, one commit and one pull request, against a stand-in for GitHub over HTTP, whatever fails."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.pull_requests import PROrchestrator, propose_pr
from core.errors import (
    BusyError,
    ConfigError,
    GitHubAnswerError,
    GitHubConflictError,
    GitHubError,
    GitHubRefusedError,
    GitHubSilentError,
)
from core.pull_requests import CodeChange, PRProposal
from memory.ledger import Ledger
from runtime.github.patience import Patience
from tests.github_server.repository import Repository
from tests.github_server.server import TOKEN, Fault, GitHubServer, Kind

BASE: dict[str, Any] = {
    "app/main.py": b"print('one')\n",
    "app/old.py": b"x = 1\n",
    "app/data.bin": b"\x00\x01\xff",
    "run.sh": ("100755", b"#!/bin/sh\necho one\n"),
    "README.md": "größer\r\n".encode(),
}
CHANGES = (
    CodeChange(
        file_path="app/main.py", original_content="print('one')\n", new_content="print('two')\n", change_type="update"
    ),
    CodeChange(file_path="app/old.py", original_content="x = 1\n", change_type="delete", rationale="nobody needs it"),
    CodeChange(file_path="app/data.bin", new_content=b"\x00\xfe\xff\x00", change_type="update"),
    CodeChange(file_path="run.sh", new_content="#!/bin/sh\necho two\n", change_type="update"),
    CodeChange(file_path="docs/größe.md", new_content="über\r\n", change_type="create"),
)
AFTER = {
    "app/main.py": ("100644", b"print('two')\n"),
    "app/data.bin": ("100644", b"\x00\xfe\xff\x00"),
    "run.sh": ("100755", b"#!/bin/sh\necho two\n"),
    "README.md": ("100644", "größer\r\n".encode()),
    "docs/größe.md": ("100644", "über\r\n".encode()),
}
LABELS = ("ratchet",)
REQUESTS = 15
"""That one call sends, labels and all; a test holds it to that."""


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with GitHubServer(Repository("octo/demo", dict(BASE)), slow_s=1.0) as running:
        yield running
        assert running.faults_found == []


class Waits:
    """The waits that were asked for; none is waited."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def orchestrator(server: GitHubServer, *, tries: int = 1, waits: Waits | None = None, **more: Any) -> PROrchestrator:
    patience = Patience(tries=tries, sleep=waits or Waits(), rng=random.Random(7))
    environment = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": server.url}
    settings = {"environment": environment, "clock": lambda: 1_700_000_000.5, "patience": patience, "answer_s": 20.0}
    return PROrchestrator("octo", "demo", **{**settings, **more})


def proposed(made: PROrchestrator, **more: Any) -> PRProposal:
    return made.generate_proposal(CHANGES, "Say two", "It says two now.", **more)


def opened(made: PROrchestrator, proposal: PRProposal, **more: Any) -> dict[str, Any]:
    return asyncio.run(made.create_github_pr(proposal, **{"labels": LABELS, **more}))


def failure_of(made: PROrchestrator, proposal: PRProposal) -> GitHubError | None:
    try:
        assert opened(made, proposal)["notes"] != []
    except GitHubError as error:
        return error
    return None


def assert_one_of_each(server: GitHubServer, proposal: PRProposal, *, moved: bool = False) -> None:
    """`moved`: the base has, in between; then a commit that no branch ever had may lie about."""
    repository = server.repository
    assert sorted(repository.refs) == [proposal.branch_name, "main"]
    [pull] = repository.pulls
    assert (pull.head, pull.base, pull.title, pull.body) == (proposal.branch_name, "main", "Say two", proposal.body)
    assert pull.labels == list(LABELS)
    commit = repository.commits[repository.refs[proposal.branch_name]]
    assert len(commit.parents) == 1
    assert repository.commits[commit.parents[0]].message == "work"
    assert commit.author["date"] == commit.committer["date"] == "2023-11-14T22:13:20Z"
    ours = [c for c in repository.commits.values() if proposal.proposal_id in c.message]
    assert ours == [commit] or (moved and commit in ours)
    contents = repository.contents(proposal.branch_name)
    if moved:
        contents.pop("elsewhere.txt", None)
    assert contents == AFTER


def test_a_proposal_becomes_one_commit_and_one_pull_request(server: GitHubServer) -> None:
    made = orchestrator(server)
    proposal = proposed(made)
    told = opened(made, proposal)
    assert told == {
        "status": "created",
        "pr_number": 1,
        "pr_url": "https://github.example/octo/demo/pull/1",
        "proposal_id": proposal.proposal_id,
        "branch": f"aura-sicd/{proposal.proposal_id}",
        "repository": "octo/demo",
        "commit": server.repository.refs[proposal.branch_name],
        "notes": [],
    }
    assert len(server.asked) == REQUESTS
    assert_one_of_each(server, proposal)
    again = opened(made, proposal)
    assert (again["status"], again["pr_number"]) == ("exists", 1)
    assert_one_of_each(server, proposal)


SURFACING: tuple[Kind, ...] = (
    "cut_before", "cut_after", "half", "500", "502_after", "503_wait", "rate_limit", "secondary", "429", "403", "409",
    "422", "slow_before", "slow_after", "huge", "not_json", "compressed", "redirect",
)  # fmt: skip
ERRORS: dict[str, type[GitHubError]] = {
    "403": GitHubRefusedError,
    "422": GitHubRefusedError,
    "huge": GitHubAnswerError,
    "not_json": GitHubAnswerError,
    "compressed": GitHubAnswerError,
    "redirect": GitHubAnswerError,
}


@pytest.mark.slow
@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("kind", SURFACING)
def test_a_call_after_a_failure_at_any_request_goes_on(kind: Kind, moved: bool) -> None:
    """Without any try again inside a call: each failure surfaces as its own error, and the next call mends it."""
    for at in range(1, REQUESTS + 1):
        with GitHubServer(Repository("octo/demo", dict(BASE)), slow_s=1.0) as server:
            made = orchestrator(server)
            proposal = proposed(made)
            server.fail(Fault(kind, at))
            hasty = orchestrator(server, answer_s=0.3) if kind.startswith("slow") else made
            error = failure_of(hasty, proposal)
            if error is None:  # a label that is refused is a note
                assert (kind, at) in (("403", REQUESTS), ("422", REQUESTS))
            else:
                assert type(error) is ERRORS.get(kind, GitHubSilentError), at
                assert TOKEN not in repr(error) + str(error)
            server.fail(None)
            if moved:
                server.repository.push("main", {"elsewhere.txt": b"moved on"})
            told = opened(made, proposal)
            assert told["status"] in ("created", "exists")
            assert_one_of_each(server, proposal, moved=moved)
            assert server.faults_found == []


@pytest.mark.parametrize("kind", ["cut_after", "502_after", "409", "rate_limit", "secondary", "429", "half"])
def test_one_call_gets_over_a_failure_at_any_request(kind: Kind) -> None:
    for at in range(1, REQUESTS + 1):
        with GitHubServer(Repository("octo/demo", dict(BASE))) as server:
            made = orchestrator(server, tries=3)
            proposal = proposed(made)
            server.fail(Fault(kind, at, times=2 if "after" not in kind else 1))
            assert opened(made, proposal)["status"] in ("created", "exists"), at
            assert_one_of_each(server, proposal)
            assert server.faults_found == []


@pytest.mark.parametrize(
    ("kind", "low", "high"), [("503_wait", 2, 3), ("rate_limit", 7, 9), ("secondary", 3, 4), ("429", 4, 5)]
)
def test_it_waits_as_long_as_github_asks(server: GitHubServer, kind: Kind, low: float, high: float) -> None:
    waits = Waits()
    made = orchestrator(server, tries=3, waits=waits)
    server.fail(Fault(kind, 3))
    opened(made, proposed(made))
    [wait] = waits.seconds
    assert low <= wait <= high


def test_backing_off_grows_and_ends(server: GitHubServer) -> None:
    waits = Waits()
    made = orchestrator(server, tries=6, waits=waits)
    server.fail(Fault("500", 1, times=99))
    with pytest.raises(GitHubSilentError, match="500"):
        opened(made, proposed(made))
    assert len(server.asked) == 6
    assert all(wait <= 2.0**n for n, wait in enumerate(waits.seconds))
    assert len(waits.seconds) == 5


def test_a_limit_beyond_the_patience_is_told_at_once(server: GitHubServer) -> None:
    waits = Waits()
    patience = Patience(total_s=2, sleep=waits)
    made = orchestrator(server, patience=patience)
    server.fail(Fault("429", 2, times=99))
    with pytest.raises(GitHubSilentError) as caught:
        opened(made, proposed(made))
    assert caught.value.retry_after_s == 4
    assert waits.seconds == []


def test_two_at_once_make_one(server: GitHubServer) -> None:
    made = [orchestrator(server, tries=3) for _ in range(4)]
    proposal = proposed(made[0])

    async def race() -> list[dict[str, Any]]:
        return await asyncio.gather(*(one.create_github_pr(proposal, labels=LABELS) for one in made))

    told = asyncio.run(race())
    assert {one["pr_number"] for one in told} == {1}
    assert sorted(one["status"] for one in told).count("created") == 1
    assert_one_of_each(server, proposal)


def test_a_pull_request_that_a_list_does_not_show_yet_is_waited_for(server: GitHubServer) -> None:
    made = orchestrator(server)
    proposal = proposed(made)
    opened(made, proposal)
    server.hidden_looks = 3
    assert opened(made, proposal)["status"] == "exists"
    assert_one_of_each(server, proposal)


@pytest.mark.parametrize(("state", "merged_at"), [("closed", None), ("merged", "2026-01-02T03:04:05Z")])
def test_what_a_person_closed_or_merged_stays_so(server: GitHubServer, state: str, merged_at: str | None) -> None:
    made = orchestrator(server)
    proposal = proposed(made)
    opened(made, proposal)
    server.repository.pulls[0].state, server.repository.pulls[0].merged_at = "closed", merged_at
    del server.repository.refs[proposal.branch_name]
    assert opened(made, proposal)["status"] == state
    assert len(server.repository.pulls) == 1
    assert list(server.repository.refs) == ["main"]


def test_a_branch_of_somebody_else_is_left_alone(server: GitHubServer) -> None:
    made = orchestrator(server)
    proposal = proposed(made)
    theirs = server.repository.push(proposal.branch_name, {"app/main.py": b"theirs"})
    with pytest.raises(GitHubConflictError, match="holds something else"):
        opened(made, proposal)
    assert server.repository.refs[proposal.branch_name] == theirs
    assert server.repository.pulls == []


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        ({"app/main.py": b"print('theirs')\n"}, "app/main.py has changed"),
        ({"app/old.py": None}, "app/old.py does not exist"),
        ({"docs/größe.md": b"there"}, "exists in the base already"),
        ({"docs": b"a file"}, "docs is no folder"),
        ({"run.sh": ("120000", b"app/main.py")}, "no plain file"),
    ],
)
def test_a_change_made_for_other_files_is_not_sent(server: GitHubServer, moved: dict[str, Any], told: str) -> None:
    server.repository.push("main", moved)
    made = orchestrator(server)
    with pytest.raises(GitHubConflictError, match=told):
        opened(made, proposed(made))
    assert list(server.repository.refs) == ["main"]
    assert not any(one.method == "POST" for one in server.asked)


def test_a_repository_too_large_for_one_list_is_walked(server: GitHubServer) -> None:
    server.truncates = True
    made = orchestrator(server)
    proposal = proposed(made)
    opened(made, proposal)
    assert_one_of_each(server, proposal)


def test_a_dry_run_sends_nothing_and_tells_what_a_real_one_sends(server: GitHubServer) -> None:
    made = orchestrator(server)
    proposal = proposed(made)
    told = opened(made, proposal, dry_run=True, draft=True)
    assert server.asked == []
    assert (told["status"], told["pr_number"]) == ("dry_run", None)
    opened(made, proposal, draft=True)
    commit = server.repository.commits[server.repository.refs[proposal.branch_name]]
    base = server.repository.refs["main"]
    known = {
        "<default branch>": "main",
        "<base commit>": base,
        "<base tree>": server.repository.commits[base].tree,
        "<tree>": commit.tree,
        "<commit>": server.repository.refs[proposal.branch_name],
        "<number>": "1",
    }
    sent = [(a.method, f"{a.path}?{a.query}" if a.query else a.path, a.body) for a in server.asked]
    modes = {"run.sh": "100755"}
    assert len(told["requests"]) == len(sent)
    for request, (method, path, body) in zip(told["requests"], sent, strict=True):
        shown = filled(request, known)
        if path.endswith("/git/trees"):
            for entry in shown["body"]["tree"]:
                if entry["mode"] == "<its mode in the base>":
                    entry["mode"] = modes.get(entry["path"], "100644")
        assert (shown["method"], shown["path"], shown["body"]) == (method, path, body)


def filled(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(one, known) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, known) for one in value]
    if isinstance(value, str):
        for name, meant in known.items():
            value = value.replace(name, meant)
    return value


def test_a_dry_run_needs_no_token() -> None:
    made = PROrchestrator("octo", "demo", environment={})
    told = opened(made, proposed(made), dry_run=True)
    assert told["base_url"] == "https://api.github.com"
    with pytest.raises(ConfigError, match="GITHUB_TOKEN"):
        opened(made, proposed(made))


def test_the_token_goes_nowhere_else() -> None:
    with (
        GitHubServer(Repository("octo/demo", dict(BASE))) as other,
        GitHubServer(Repository("octo/demo", dict(BASE)), elsewhere=other.url) as server,
    ):
        for at in (1, 8):
            server.fail(Fault("redirect", at))
            made = orchestrator(server)
            with pytest.raises(GitHubAnswerError, match="another server"):
                opened(made, proposed(made))
        assert other.asked == []


def test_an_enterprise_server_has_its_own_path() -> None:
    with GitHubServer(Repository("octo/demo", dict(BASE)), prefix="/api/v3") as server:
        made = orchestrator(server)
        proposal = proposed(made)
        opened(made, proposal)
        assert_one_of_each(server, proposal)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"token": "ghs_other"}, "GITHUB_TOKEN is wrong"),
        ({"repository": "octo/other"}, "check the name"),
        ({"archived": True}, "archived"),
        ({"base": "develop"}, "no branch develop"),
    ],
)
def test_what_github_refuses_is_told(server: GitHubServer, change: dict[str, Any], told: str) -> None:
    server.token = change.get("token", server.token)
    server.repository.full_name = change.get("repository", server.repository.full_name)
    server.repository.archived = change.get("archived", False)
    made = orchestrator(server)
    with pytest.raises(GitHubRefusedError) as caught:
        opened(made, proposed(made), base=change.get("base", ""))
    assert told in str(caught.value)
    assert server.repository.pulls == []
    server.faults_found.clear()  # 401 stands nowhere in GitHub's description


def test_several_in_one_call(server: GitHubServer) -> None:
    made = orchestrator(server)
    good = proposed(made)
    bad = made.generate_proposal(
        [{"file_path": "nowhere.py", "change_type": "delete"}], "Delete what is not there", "It is not there."
    )
    other = made.generate_proposal(
        [{"file_path": "new.py", "new_content": "y = 1\n", "change_type": "create"}], "Add a file", "New."
    )
    told = asyncio.run(made.create_github_prs([good, bad, other], labels=LABELS))
    assert [(one["status"], one["pr_number"]) for one in told] == [("created", 1), ("failed", None), ("created", 2)]
    assert "nowhere.py does not exist" in told[1]["error"]
    server.fail(Fault("500", 1, times=99))
    told = asyncio.run(made.create_github_prs([good, other]))
    assert [one["status"] for one in told] == ["failed", "not_tried"]


def test_with_a_ledger_it_happens_once_across_processes(server: GitHubServer, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        made = orchestrator(server, ledger=ledger)
        proposal = proposed(made)
        server.fail(Fault("cut_before", 7))
        with pytest.raises(GitHubSilentError):
            opened(made, proposal)
        [effect] = ledger.effects.of("")
        begun_on = server.repository.refs["main"]
        assert (effect.state, effect.remote_id) == ("started", begun_on)
    server.fail(None)
    server.repository.push("main", {"app/main.py": b"print('theirs')\n"})
    with Ledger(path) as ledger:
        made = orchestrator(server, ledger=ledger)
        first = opened(made, proposal)
        assert first["status"] == "created"
        commit = server.repository.commits[server.repository.refs[proposal.branch_name]]
        assert commit.parents == [begun_on]  # the base has moved since; the change stays on what it was made for
        server.fail(None)
        assert opened(made, proposal) == {**first, "status": "exists"}
        assert server.asked == []
    text = path.read_bytes()
    assert TOKEN.encode() not in text


def test_a_pull_request_that_another_process_is_at_is_refused(server: GitHubServer, tmp_path: Path) -> None:
    import multiprocessing

    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        made = orchestrator(server, ledger=ledger)
        proposal = proposed(made)
        opened_gate, closing = multiprocessing.get_context("spawn").Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_open_slowly, args=(path, server.url, proposal, closing)
        )
        server.slow_s = 2.0
        server.fail(Fault("slow_before", 2))
        process.start()
        try:
            assert opened_gate.recv() == "begun"
            while not server.asked:
                time.sleep(0.02)
            with pytest.raises(BusyError, match=str(process.pid)):
                opened(made, proposal)
        finally:
            process.kill()
            process.join()
        server.fail(None)
        assert opened(made, proposal)["status"] == "created"
    assert_one_of_each(server, proposal)


def _open_slowly(path: Path, url: str, proposal: PRProposal, gate: Any) -> None:
    with Ledger(path) as ledger:
        environment = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": url}
        gate.send("begun")
        made = PROrchestrator("octo", "demo", ledger=ledger, environment=environment)
        asyncio.run(made.create_github_pr(proposal))


def test_in_one_call(server: GitHubServer) -> None:
    environment = {
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": server.url,
        "GITHUB_REPO_OWNER": "octo",
        "GITHUB_REPO_NAME": "demo",
    }
    told = asyncio.run(propose_pr(CHANGES, "Say two", "It says two now.", labels=LABELS, environment=environment))
    assert (told["status"], told["pr_number"]) == ("created", 1)
    with pytest.raises(ConfigError, match="owner of a repository"):
        asyncio.run(propose_pr(CHANGES, "Say two", "It.", environment={"GITHUB_TOKEN": TOKEN}))
