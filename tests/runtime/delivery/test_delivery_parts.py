"""The parts of a delivery by themselves: commits, branches, pushes and files, for both hash functions of git."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import DeliveryError
from runtime.delivery import (
    Commit,
    Replacement,
    as_branch,
    as_diff,
    as_files,
    as_push,
    find_repository,
    make_commit,
    tip,
    tip_at,
)
from tests.graph.code_packages import commit_all, git
from tests.graph.repositories import at, bare, branches, snapshot


@pytest.fixture(params=["sha1", "sha256"])
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    where = tmp_path / "repo"
    where.mkdir()
    git(where, "init", "-q", "-b", "main", f"--object-format={request.param}")
    (where / "a.txt").write_text("a\n")
    (where / "link").symlink_to("a.txt")
    (where / "run").write_text("#!/bin/sh\n")
    (where / "run").chmod(0o755)
    commit_all(where)
    return where


def commit(folder: Path, changed: dict[str, bytes | None], message: str = "a change\n") -> str:
    repository = find_repository(folder)
    return make_commit(repository, Commit(repository.commit("HEAD"), changed, message, at=1_700_000_000))


def test_a_commit_holds_what_was_asked_for_and_is_the_same_again(folder: Path) -> None:
    before = snapshot(folder)
    changed = {"a.txt": b"\xff\x00\r\n", "run": b"#!/bin/sh\nexit 1\n", "d/e f/ü.txt": b""}
    made = commit(folder, changed)
    assert commit(folder, changed) == made
    assert commit(folder, changed, "another message\n") != made
    rows = git(folder, "-c", "core.quotePath=false", "ls-tree", "-r", made).splitlines()
    assert {row.split("\t")[1]: row[:6] for row in rows} == {
        "a.txt": "100644", "d/e f/ü.txt": "100644", "link": "120000", "run": "100755",
    }  # fmt: skip
    told = git(folder, "show", "-s", "--format=%an|%ae|%cn|%at|%ct|%ai|%B", made)
    assert told.startswith("Ratchet|ratchet@localhost|Ratchet|1700000000|1700000000|2023-11-14 22:13:20 +0000|a change")
    assert snapshot(folder) == before


def test_a_file_that_goes_is_gone(folder: Path) -> None:
    made = commit(folder, {"a.txt": None, "never.txt": None})
    assert git(folder, "ls-tree", "--name-only", made).split() == ["link", "run"]


@pytest.mark.parametrize("path", ["link", "../out", ".git/hooks/pre-commit", "/etc/passwd"])
def test_what_is_no_plain_file_below_the_folder_is_refused(folder: Path, path: str) -> None:
    with pytest.raises(DeliveryError, match="no plain file"):
        commit(folder, {path: b"x"})


def test_a_branch_is_made_once_and_never_moved(folder: Path) -> None:
    repository = find_repository(folder)
    one, two = commit(folder, {"a.txt": b"1"}), commit(folder, {"a.txt": b"2"})
    assert as_branch(repository, "new/one", one)
    assert not as_branch(repository, "new/one", one)
    with pytest.raises(DeliveryError, match="something else"):
        as_branch(repository, "new/one", two)
    assert tip(repository, "new/one") == one
    assert tip(repository, "new/two") == ""


def test_the_branch_that_head_waits_for_is_not_born_by_us(folder: Path) -> None:
    made = commit(folder, {"a.txt": b"1"})
    git(folder, "symbolic-ref", "HEAD", "refs/heads/new")
    with pytest.raises(DeliveryError, match="checked out"):
        as_branch(find_repository(folder), "new", made)
    assert "new" not in branches(folder)


def test_a_lock_that_was_left_is_one_clear_error(folder: Path) -> None:
    made = commit(folder, {"a.txt": b"1"})
    (folder / ".git" / "refs" / "heads" / "new.lock").write_text("")
    with pytest.raises(DeliveryError, match=r"cannot make the branch .*new\.lock") as refused:
        as_branch(find_repository(folder), "new", made)
    assert "lock" in refused.value.hint


def test_a_push_makes_a_branch_once(folder: Path, tmp_path: Path) -> None:
    if len(git(folder, "rev-parse", "HEAD").strip()) > 40:
        pytest.skip("the bare repository is one of SHA-1")
    there = bare(tmp_path / "there")
    repository = find_repository(folder)
    one, two = commit(folder, {"a.txt": b"1"}), commit(folder, {"a.txt": b"2"})
    assert tip_at(repository, str(there), "new") == ""
    assert as_push(repository, str(there), "new", one)
    assert not as_push(repository, str(there), "new", one)
    with pytest.raises(DeliveryError, match="something else"):
        as_push(repository, str(there), "new", two)
    assert tip_at(repository, str(there), "new") == one
    assert at(there, "new", "a.txt") == b"1"


def test_a_diff_is_written_whole(tmp_path: Path) -> None:
    place = as_diff("--- a\r\n+++ b\n", tmp_path / "new" / "x.diff")
    assert place.read_bytes() == b"--- a\r\n+++ b\n"
    assert [path.name for path in place.parent.iterdir()] == ["x.diff"]


CONTENT = st.none() | st.binary(max_size=20)
NAMES = st.sampled_from(["a", "b/c", "b/d", "e.txt"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, st.tuples(CONTENT, CONTENT), min_size=1), st.sampled_from(["before", "after", "other"]))
def test_files_become_what_they_should_or_all_stay(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[bytes | None, bytes | None]], first: str
) -> None:
    root = tmp_path_factory.mktemp("root")
    plan = [Replacement(path, before, after) for path, (before, after) in files.items()]

    def contents() -> dict[str, bytes]:
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    for number, each in enumerate(plan):
        told = each.after if number == 0 and first == "after" else each.before
        told = b"of somebody else" if number == 0 and first == "other" else told
        if told is not None:
            (root / each.path).parent.mkdir(parents=True, exist_ok=True)
            (root / each.path).write_bytes(told)
    before = contents()
    backups = tmp_path_factory.mktemp("backups")
    if first == "other":
        with pytest.raises(DeliveryError, match="changed since"):
            as_files(root, plan, backups)
        assert contents() == before
        return
    kept = as_files(root, plan, backups)
    assert contents() == {each.path: each.after for each in plan if each.after is not None}
    assert {str(f.relative_to(root)): copy.read_bytes() for f, copy in kept} == {
        each.path: each.before for each in plan if each.before is not None
    }
    assert as_files(root, plan, backups) == kept
