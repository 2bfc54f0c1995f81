"""`propose-pr`: from a diff, a changed folder or a proposal, as a process; killed at any request, it goes on."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.github_server.repository import Repository
from tests.github_server.server import TOKEN, GitHubServer
from tests.service.command_line import ROOT, environment
from tests.warm_program import Program, start_warm

BASE: dict[str, Any] = {"a.py": b"a = 1\n", "b.py": b"b = 1\n", "pic.bin": b"\x00\x01"}
DIFF = """--- a/a.py
+++ b/a.py
@@ -1 +1 @@
-a = 1
+a = 2
--- a/b.py
+++ /dev/null
@@ -1 +0,0 @@
-b = 1
--- /dev/null
+++ b/c.py
@@ -0,0 +1 @@
+c = 1
"""
AFTER = {"a.py": ("100644", b"a = 2\n"), "c.py": ("100644", b"c = 1\n"), "pic.bin": ("100644", b"\x00\x01")}


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with GitHubServer(Repository("octo/demo", dict(BASE))) as running:
        yield running
        assert running.faults_found == []


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder as the base is, and a diff beside it."""
    folder = tmp_path / "work"
    folder.mkdir()
    for path, content in BASE.items():
        (folder / path).write_bytes(content)
    (tmp_path / "change.diff").write_text(DIFF)
    return folder


def start(work: Path, server: GitHubServer, *words: object) -> Program:
    command = [str(ROOT / "run_graph.py"), "propose-pr", *map(str, words), "--json"]
    command += ["--home", str(work.parent / "home"), "--repo", "octo/demo"]
    told = {**environment(), "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": server.url}
    return start_warm(command, env=told, cwd=work)


def call(work: Path, server: GitHubServer, *words: object) -> tuple[int, Any]:
    process = start(work, server, *words)
    out, err = process.communicate(timeout=110)
    assert TOKEN not in out + err
    return process.returncode, json.loads(out)


@pytest.mark.slow
def test_a_diff_is_proposed_and_killed_at_any_request_goes_on(server: GitHubServer, work: Path) -> None:
    words = ("../change.diff", "--title", "Two", "--out", "../proposal.json")
    code, told = call(work, server, *words, "--dry-run")
    assert (code, told["status"], server.asked) == (0, "dry_run", [])
    count = len(told["requests"])
    running: list[Program] = []
    for at in (count, count - 1, count - 2, 5):  # first the last ones: what they leave is found by those after
        server.fail(None)

        def kill(number: int, at: int = at) -> None:
            if number == at:
                running[-1].send_signal(signal.SIGKILL)

        server.on_request = kill
        running.append(start(work, server, *words))
        running[-1].communicate(timeout=110)
    server.on_request = lambda number: None
    code, told = call(work, server, *words)
    assert (code, told["pr_number"]) == (0, 1)
    code, again = call(work, server, "../proposal.json")
    assert (code, again["status"], again["pr_url"]) == (0, "exists", told["pr_url"])
    repository = server.repository
    assert sorted(repository.refs) == [told["branch"], "main"]
    assert len(repository.pulls) == 1
    assert repository.contents(told["branch"]) == AFTER
    # another state folder, which knows nothing of it, finds the same
    shutil.rmtree(work.parent / "home")
    code, again = call(work, server, "../proposal.json")
    assert (code, again["status"], again["pr_number"]) == (0, "exists", 1)
    assert any(one.returncode == -signal.SIGKILL for one in running)


@pytest.mark.slow
def test_a_changed_folder_is_proposed(server: GitHubServer, work: Path) -> None:
    changed = work.parent / "changed"
    shutil.copytree(work, changed)
    (changed / "a.py").write_text("a = 2\n")
    (changed / "b.py").unlink()
    (changed / "pic.bin").write_bytes(b"\x00\xff")
    (changed / ".git").mkdir()
    (changed / ".git/config").write_text("[core]\n")
    (changed / "link").symlink_to("/etc/hostname")
    body = work.parent / "body.md"
    body.write_text("# By hand\n")
    code, told = call(
        work, server, changed, "--against", work, "--title", "Two", "--body-file", body, "--draft", "--label", "x"
    )
    assert (code, told["status"]) == (0, "created")
    contents = server.repository.contents(told["branch"])
    assert contents == {"a.py": ("100644", b"a = 2\n"), "pic.bin": ("100644", b"\x00\xff")}
    [pull] = server.repository.pulls
    assert (pull.body, pull.draft, pull.labels) == ("# By hand\n", True, ["x"])


@pytest.mark.slow
def test_what_is_wrong_is_one_clear_error(server: GitHubServer, work: Path) -> None:
    (work.parent / "secret.diff").write_text(DIFF.replace("+c = 1", f"+c = '{TOKEN}'"))
    wrong = {
        ("../secret.diff", "--title", "T"): (3, "c.py line 1"),
        ("../change.diff",): (2, "--title"),
        ("..",): (2, "--against"),
        ("../change.diff", "--against", "..", "--title", "T"): (3, "does not fit"),
        ("../nothing.json",): (3, "no such file"),
    }
    for words, (expected, text) in wrong.items():
        code, told = call(work, server, *words, "--dry-run")
        assert (code, text in json.dumps(told)) == (expected, True), told
    assert server.asked == []
