"""The stand-in for GitHub is held to GitHub's description, and its objects to git."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.github_server import description
from tests.github_server.repository import Repository

REPO = "/repos/octo/demo"


def test_what_the_description_does_not_allow_is_found() -> None:
    good = {
        "ref": "refs/heads/x",
        "node_id": "n",
        "url": "https://h/x",
        "object": {"type": "commit", "sha": "0" * 40, "url": "https://h"},
    }
    path = f"{REPO}/git/ref/heads/a/b"
    assert description.faults_of_answer("GET", path, 200, good) == []
    assert description.faults_of_answer("GET", path, 200, {**good, "ref": 7}) != []
    assert description.faults_of_answer("GET", path, 200, {k: v for k, v in good.items() if k != "node_id"}) != []
    assert description.faults_of_answer("GET", path, 418, good) != []
    assert description.faults_of_answer("GET", "/nowhere", 200, good) != []


def test_what_may_not_be_asked_is_found() -> None:
    assert (
        description.faults_of_request("POST", f"{REPO}/git/blobs", "", {"content": "eA==", "encoding": "base64"}) == []
    )
    assert description.faults_of_request("POST", f"{REPO}/git/blobs", "", {"encoding": "base64"}) != []
    assert description.faults_of_request("POST", f"{REPO}/git/trees", "", {"tree": [{"mode": "1"}]}) != []
    assert description.faults_of_request("GET", f"{REPO}/pulls", "state=all&per_page=100&head=o%3Ab", None) == []
    assert description.faults_of_request("GET", f"{REPO}/pulls", "state=every", None) != []
    assert description.faults_of_request("GET", f"{REPO}/pulls", "colour=red", None) != []


def test_objects_have_the_names_that_git_gives_them(tmp_path: Path) -> None:
    files = {"a/b.txt": b"b", "a-b": ("100755", b"c"), "a.py": b"a\n"}
    repository = Repository("octo/demo", dict(files))

    def git(*words: str) -> str:
        command = ["git", "-c", "init.defaultBranch=main", *words]
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (
            ("NAME", "Somebody"), ("EMAIL", "somebody@example.org"), ("DATE", "2026-01-02T03:04:05Z"))}  # fmt: skip
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", **who}
        return subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    for path, content in files.items():
        mode, data = content if isinstance(content, tuple) else ("100644", content)
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
        (tmp_path / path).chmod(int(mode[3:], 8))
    git("add", "-A")
    git("commit", "-q", "-m", "work", "--cleanup=verbatim")
    tree = git("rev-parse", "HEAD^{tree}").strip()
    head = repository.commits[repository.refs["main"]]
    assert head.tree == tree
    commit = git("commit-tree", tree, "-m", "work").strip()
    assert commit == repository.add_commit(tree, [], "work\n", head.author, head.committer)
