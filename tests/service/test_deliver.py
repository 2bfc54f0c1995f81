"""`deliver` at the command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from command_line import Cli, call_process

from tests.github_server.repository import Repository
from tests.github_server.server import TOKEN, GitHubServer
from tests.graph.code_packages import FAST, SLOW, Told, commit_all, git, told_campaign, write_package
from tests.graph.repositories import bare, branches, snapshot

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture
def told(tmp_path: Path) -> Told:
    campaign = write_package(tmp_path / "repo")
    commit_all(tmp_path / "repo")
    return told_campaign(tmp_path / "home", campaign)


def test_by_itself_it_shows_the_change_and_writes_the_dossier(told: Told, cli: Cli) -> None:
    before = snapshot(told.folder)
    answer = cli("deliver", home=told.home)
    assert answer.code == 0, answer.err
    assert "sums/core.py" in answer.out
    assert "+1" in answer.out
    assert "verdict" in answer.out
    place = told.home / "deliveries" / told.candidates[0] / "dossier.md"
    assert str(place) in answer.out
    assert "# Candidate" in place.read_text()
    assert snapshot(told.folder) == before


def test_the_diff_is_printed_alone_and_git_takes_it(told: Told, cli: Cli, tmp_path: Path) -> None:
    printed = cli("deliver", told.id, "--diff", "-", home=told.home)
    assert printed.out.startswith("diff --git")
    written = cli("deliver", told.candidates[0][:6], "--diff", tmp_path / "out" / "it.diff", home=told.home)
    assert written.code == 0, written.err
    assert (tmp_path / "out" / "it.diff").read_text() == printed.out
    subprocess.run(["git", "apply", str(tmp_path / "out" / "it.diff")], cwd=told.folder, check=True)
    assert (told.folder / "sums" / "core.py").read_text() == FAST


def test_branch_push_and_files_in_one_call_and_again(told: Told, cli: Cli, tmp_path: Path) -> None:
    remote = bare(tmp_path / "there.git")
    words = ("deliver", told.id, "--branch", "team/fast", "--push", remote, "--apply", "--json")
    told_once = cli(*words, home=told.home).json
    told_again = cli(*words, home=told.home).json
    assert [one["state"] for one in told_once["delivered"]] == ["made"] * 3
    assert [one["state"] for one in told_again["delivered"]] == ["found"] * 3
    name = f"team/fast-{told.candidates[0]}"
    assert branches(remote)[name] == branches(told.folder)[name] == told_once["delivered"][0]["commit"]
    assert (told.folder / "sums" / "core.py").read_text() == FAST
    kept = told_once["delivered"][2]["backups"][0][1]
    assert Path(kept).read_text() == SLOW
    dossier = json.loads((told.home / "deliveries" / told.candidates[0] / "dossier.json").read_text())
    assert [one["kind"] for one in dossier["delivered"]] == ["branch", "push", "files"]
    assert len(dossier["undo"]) == 3


def test_a_pull_request_has_the_dossier_as_its_body(told: Told, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    tracked = git(told.folder, "ls-files").split()
    files = {path: (told.folder / path).read_bytes() for path in tracked}
    with GitHubServer(Repository("octo/demo", files)) as server:
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        words = ("deliver", told.id, "--pull-request", "octo/demo", "--json")
        assert cli(*words, "--dry-run", home=told.home).json["status"] == "dry_run"
        assert server.asked == []
        made = cli(*words, home=told.home).json
        again = cli(*words, home=told.home).json
        assert (made["status"], again["status"]) == ("created", "exists")
        assert made["pr_number"] == again["pr_number"]
        (pull,) = server.repository.pulls
        assert f"Candidate `{told.candidates[0]}`" in pull.body
        assert server.faults_found == []
    assert cli("deliver", told.id, "--dry-run", home=told.home).code == 2


def test_the_dossier_goes_where_it_is_wanted(told: Told, cli: Cli, tmp_path: Path) -> None:
    for name in ("evidence.md", "evidence.json"):
        answer = cli("deliver", "--dossier", tmp_path / name, home=told.home)
        assert str(tmp_path / name) in answer.out
    assert json.loads((tmp_path / "evidence.json").read_text())["candidate"] == told.candidates[0]
    assert (tmp_path / "evidence.md").read_text().startswith("# Candidate")


def test_what_is_not_verified_needs_a_word(cli: Cli, tmp_path: Path) -> None:
    campaign = write_package(tmp_path / "repo")
    commit_all(tmp_path / "repo")
    told = told_campaign(tmp_path / "home", campaign, verdict=None, finished=False)
    refused = cli("deliver", home=told.home)
    assert refused.code == 1
    assert "not verified" in refused.err
    assert f"resume {told.id}" in refused.err
    assert not (told.home / "deliveries").exists()
    taken = cli("deliver", "--unverified", "--branch", home=told.home)
    assert taken.code == 0, taken.err
    assert "NOT VERIFIED" in git(told.folder, "log", "-1", "--format=%B", f"ratchet/{told.candidates[0]}")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--onto", "HEAD"], 2, "--onto"),
        (["--branch", "CANDIDATE"], 2, "before --branch"),
        (["--branch", "sums-1"], 2, "before --branch"),
        (["p-0000000000"], 3, "no proposal"),
        (["nothing-1"], 3, "no campaign"),
        (["--branch", "--onto", "--exec=x"], 2, ""),
        (["--branch", "--onto=nowhere"], 1, "no commit"),
        (["--push", "nowhere"], 1, "remote"),
    ],
)
def test_what_is_wrong_is_one_error(told: Told, cli: Cli, words: list[str], code: int, said: str) -> None:
    words = [told.candidates[0] if word == "CANDIDATE" else word for word in words]
    answer = cli("deliver", *words, "--json", home=told.home)
    assert answer.code == code, answer.out
    assert said in json.dumps(answer.json["error"])


def test_a_campaign_on_parameters_has_nothing_to_deliver(tiny: Path, cli: Cli, tmp_path: Path) -> None:
    from graph.loading import load_campaign
    from memory.state_folder import StateFolder

    home = tmp_path / "home"
    with StateFolder(home).open_ledger() as ledger:
        ledger.create_campaign(load_campaign(tiny / "campaign.yaml"))
    assert cli("deliver", home=home).code == 3
    answer = cli("deliver", "tiny-1", home=home)
    assert answer.code == 1
    assert "parameters" in answer.err


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_real_campaign_is_run_and_delivered(tmp_path: Path) -> None:
    """One cycle on the small package, judged for real; then what was found is delivered."""
    campaign = write_package(
        tmp_path / "repo",
        noise={"repeats": 1, "verdict_pairs": 2, "confirmations": 0},
        council={"jobs_per_cycle": 2},  # one of them may be refused where a busy machine spoils its clock
    )
    commit_all(tmp_path / "repo")
    home = tmp_path / "home"
    ran = call_process("run", campaign, "--json", home=home, deadline_s=500)
    assert ran.code == 0, ran.out + ran.err
    interval = ran.json["best"]["interval"] if ran.json["best"] else None
    better = interval is not None and interval["answer"] == "better"
    assert (f"deliver {ran.json['campaign']}" in ran.err) == better  # what can be had is told, and nothing else
    before = snapshot(tmp_path / "repo")
    answer = call_process("deliver", "--branch", "--unverified", "--json", home=home)
    assert answer.code == 0, answer.err
    assert snapshot(tmp_path / "repo") == before
    told = answer.json["delivered"][0]
    assert branches(tmp_path / "repo")[told["branch"]] == told["commit"]
    dossier = json.loads((home / "deliveries" / answer.json["candidate"] / "dossier.json").read_text())
    assert dossier["tests"] == {"passed": 2, "failed": [], "counted": True, "planted_failure_caught": True}
    assert dossier["judgement"]["pairs"] >= 2
    assert dossier["isolation"]["level"] >= 2
    assert set(dossier["isolation"]["enforced"]) >= {"net", "files", "memory"}
    assert dossier["cost"]["cpu_s"] > 0
