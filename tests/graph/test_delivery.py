"""Delivery into real repositories: what is asked for is made, once, and nothing else is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import DeliveryError
from graph.delivered import Delivered
from graph.delivery import Delivery, branch_name, open_delivery
from tests.graph.code_packages import FAST, OTHER, SLOW, Told, commit_all, git, told_campaign, write_package
from tests.graph.repositories import at, bare, branches, snapshot, trap

MESSAGE = "Make it faster\n\nBecause it can be.\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write_package(tmp_path / "repo")
    commit_all(tmp_path / "repo")
    return tmp_path / "repo"


@pytest.fixture
def told(repository: Path, tmp_path: Path) -> Told:
    return told_campaign(tmp_path / "home", repository / "campaign.yaml")


def deliver(told: Told, how: Callable[[Delivery], Delivered], candidate: str = "", **options: bool) -> Delivered:
    with told.state.open_ledger() as ledger:
        return how(open_delivery(told.state, ledger, ledger.campaign(told.id), candidate, **options))


def to_branch(delivery: Delivery) -> Delivered:
    return delivery.branch(MESSAGE)


def to_files(delivery: Delivery) -> Delivered:
    return delivery.files()


def dirty(repository: Path) -> None:
    (repository / "sums" / "other.py").write_text(OTHER + "LIMIT = 11\n")
    (repository / "new.txt").write_text("not tracked\n")
    (repository / "staged.txt").write_text("staged\n")
    git(repository, "add", "staged.txt")
    (repository / "staged.txt").write_text("and changed again\n")
    (repository / "tests" / "test_sums.py").unlink()


def stashed(repository: Path) -> None:
    (repository / "sums" / "core.py").write_text(SLOW + "# tried\n")
    git(repository, "stash")


def detached(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")


def packed(repository: Path) -> None:
    git(repository, "gc", "-q")
    git(repository, "pack-refs", "--all")


def in_the_middle_of_a_merge(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "side")
    (repository / "sums" / "other.py").write_text("A = 1\n")
    commit_all(repository)
    git(repository, "checkout", "-q", "main")
    (repository / "sums" / "other.py").write_text("A = 2\n")
    commit_all(repository)
    git(repository, "merge", "side", check=False)


def plain(repository: Path) -> None:
    pass


STATES = [plain, dirty, stashed, detached, packed, in_the_middle_of_a_merge]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_branch_touches_nothing_but_itself_and_runs_nothing(
    told: Told, repository: Path, tmp_path: Path, state: Callable[[Path], None]
) -> None:
    state(repository)
    marker = tmp_path / "marker"
    trap(repository, marker)
    before = snapshot(repository)
    marker.unlink(missing_ok=True)  # looking at it with plain git does run them: the traps are live
    head = git(repository, "rev-parse", "HEAD").strip()

    delivered = deliver(told, to_branch)

    assert not marker.exists()
    assert snapshot(repository) == before
    name = f"ratchet/{told.candidates[0]}"
    assert (delivered.state, delivered.branch, delivered.parent) == ("made", name, head)
    assert branches(repository)[name] == delivered.commit
    assert at(repository, name, "sums/core.py").decode() == FAST
    assert git(repository, "diff-tree", "-r", "--name-only", "--no-commit-id", name).split() == ["sums/core.py"]
    assert f"Ratchet-Candidate: {told.candidates[0]}" in git(repository, "show", "-s", "--format=%B", name)
    git(repository, "fsck", "--strict", "--no-dangling")


def test_the_traps_are_live(told: Told, repository: Path, tmp_path: Path) -> None:
    trap(repository, tmp_path / "marker")
    (repository / "sums" / "other.py").write_text("x = 1\n")
    git(repository, "config", "commit.gpgSign", "false")
    git(repository, "commit", "-qam", "with hooks and filters", check=False)
    ran = (tmp_path / "marker").read_text()
    assert "hooks/pre-commit" in ran
    assert "program" in ran


def test_the_same_call_finds_the_same_commit_however_the_repository_has_gone_on(told: Told, repository: Path) -> None:
    made = deliver(told, to_branch)
    (repository / "sums" / "core.py").write_text(SLOW + "# later\n")
    commit_all(repository)
    found = deliver(told, lambda delivery: delivery.branch("Said otherwise\n"))
    assert (found.state, found.commit, found.parent) == ("found", made.commit, made.parent)
    git(repository, "branch", "-D", made.branch)
    again = deliver(told, to_branch)
    assert again.state == "made"
    assert again.merged == ("sums/core.py",)
    assert at(repository, again.branch, "sums/core.py").decode() == FAST + "# later\n"


def test_a_branch_that_was_deleted_comes_back_as_the_same_commit(told: Told, repository: Path) -> None:
    first = deliver(told, to_branch)
    git(repository, "branch", "-D", first.branch)
    assert deliver(told, to_branch).commit == first.commit


def test_a_subfolder_and_a_linked_worktree(tmp_path: Path) -> None:
    write_package(tmp_path / "repo" / "part" / "of it")
    (tmp_path / "repo" / "README").write_text("outside\n")
    commit_all(tmp_path / "repo")
    git(tmp_path / "repo", "worktree", "add", "-q", "../tree")
    told = told_campaign(tmp_path / "home", tmp_path / "tree" / "part" / "of it" / "campaign.yaml")
    before = [snapshot(tmp_path / "repo"), snapshot(tmp_path / "tree")]
    delivered = deliver(told, to_branch)
    assert [snapshot(tmp_path / "repo"), snapshot(tmp_path / "tree")] == before
    assert at(tmp_path / "repo", delivered.branch, "part/of it/sums/core.py").decode() == FAST
    assert at(tmp_path / "repo", delivered.branch, "README") == b"outside\n"
    assert delivered.differ == ()


def test_files_that_come_and_go_and_modes_that_stay(tmp_path: Path) -> None:
    campaign = write_package(tmp_path / "repo")
    (tmp_path / "repo" / "sums" / "core.py").chmod(0o755)
    commit_all(tmp_path / "repo")
    changed: dict[str, str | None] = {"sums/core.py": FAST, "sums/other.py": None, "sums/ä new.py": "x = 1\n"}
    told = told_campaign(tmp_path / "home", campaign, candidates=[changed])
    name = deliver(told, to_branch).branch
    rows = git(tmp_path / "repo", "-c", "core.quotePath=false", "ls-tree", "-r", name, "sums/").splitlines()
    assert {row.split("\t")[1]: row[:6] for row in rows} == {
        "sums/__init__.py": "100644",
        "sums/core.py": "100755",
        "sums/ä new.py": "100644",
    }


def test_what_the_user_has_changed_elsewhere_in_the_file_is_merged_and_told(told: Told, repository: Path) -> None:
    (repository / "sums" / "core.py").write_text(SLOW.replace('"hello "', '"good day "'))
    (repository / "sums" / "other.py").write_text("LIMIT = 12\n")
    commit_all(repository)
    delivered = deliver(told, to_branch)
    assert delivered.merged == ("sums/core.py",)
    assert delivered.differ == ("sums/other.py",)
    assert at(repository, delivered.branch, "sums/core.py").decode() == FAST.replace('"hello "', '"good day "')


def test_what_both_changed_is_refused_by_name_and_leaves_nothing(told: Told, repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD").strip()
    (repository / "sums" / "core.py").write_text(SLOW.replace("    total = 0", "    total = 0 * n"))
    commit_all(repository)
    before = snapshot(repository)
    for how in (to_branch, to_files):
        with pytest.raises(DeliveryError, match=r"sums/core\.py \(") as refused:
            deliver(told, how)
        assert refused.value.exit_code == 1
    assert snapshot(repository) == before
    assert set(branches(repository)) == {"main"}
    onto_base = deliver(told, lambda delivery: delivery.branch(MESSAGE, onto=first))
    assert onto_base.parent == first
    assert onto_base.merged == ()


def test_line_ends_stay_as_they_are_stored(tmp_path: Path) -> None:
    campaign = write_package(tmp_path / "repo")
    core = tmp_path / "repo" / "sums" / "core.py"
    (tmp_path / "repo" / ".gitattributes").write_text("*.py text eol=crlf\n")
    core.write_bytes(SLOW.replace("\n", "\r\n").encode())
    commit_all(tmp_path / "repo")
    told = told_campaign(tmp_path / "home", campaign, candidates=[{"sums/core.py": FAST.replace("\n", "\r\n")}])
    delivered = deliver(told, to_branch)
    assert (delivered.merged, delivered.differ) == ((), ())
    assert at(tmp_path / "repo", delivered.branch, "sums/core.py").decode() == FAST


@pytest.mark.parametrize("moved", ["another commit", "more on top", "the name itself"])
def test_a_branch_of_that_name_that_is_something_else_is_never_moved(told: Told, repository: Path, moved: str) -> None:
    name = branch_name("", told.candidates[0])
    if moved == "another commit":
        git(repository, "branch", name)
    elif moved == "more on top":
        deliver(told, to_branch)
        tree = git(repository, "rev-parse", f"{name}^{{tree}}").strip()
        top = git(repository, "commit-tree", tree, "-p", name, "-m", "by hand").strip()
        git(repository, "branch", "-f", name, top)
    else:
        git(repository, "branch", "ratchet")
    before = branches(repository)
    with pytest.raises(DeliveryError, match="branch") as refused:
        deliver(told, to_branch)
    assert "--branch" in refused.value.hint
    assert branches(repository) == before


def test_the_name_holds_the_candidate_and_must_be_one(told: Told, repository: Path) -> None:
    delivered = deliver(told, lambda delivery: delivery.branch(MESSAGE, "team/faster"))
    assert delivered.branch == f"team/faster-{told.candidates[0]}"
    for name in ("-x", "a..b", "a b", "x.lock/", "~"):
        with pytest.raises(DeliveryError, match="no name"):
            deliver(told, lambda delivery, name=name: delivery.branch(MESSAGE, name))  # type: ignore[misc]


def test_what_is_there_already_is_no_delivery(told: Told, repository: Path) -> None:
    (repository / "sums" / "core.py").write_text(FAST)
    commit_all(repository)
    assert deliver(told, to_branch).state == "nothing"
    assert deliver(told, to_files).state == "nothing"
    assert set(branches(repository)) == {"main"}


@pytest.mark.parametrize("state", ["no repository", "no commit", "not committed"])
def test_where_no_branch_can_be_made_the_reason_is_given(tmp_path: Path, state: str) -> None:
    campaign = write_package(tmp_path / "repo")
    if state != "no repository":
        git(tmp_path / "repo", "init", "-q")
    if state == "not committed":
        git(tmp_path / "repo", "commit", "-q", "--allow-empty", "-m", "empty")
    told = told_campaign(tmp_path / "home", campaign)
    with pytest.raises(DeliveryError, match=r"no git repository|no commit yet|not there") as refused:
        deliver(told, to_branch)
    assert "--diff" in refused.value.hint
    assert deliver(told, to_files).state == "made"


def test_a_push_to_a_bare_repository_by_name_and_path(told: Told, repository: Path, tmp_path: Path) -> None:
    there = bare(tmp_path / "there.git")
    git(repository, "remote", "add", "origin", str(there))
    trap(repository, tmp_path / "marker")
    before = snapshot(repository)
    (tmp_path / "marker").unlink(missing_ok=True)
    pushed = deliver(told, lambda delivery: delivery.push(str(there), MESSAGE))
    assert not (tmp_path / "marker").exists()
    assert snapshot(repository) == before
    assert branches(there) == {pushed.branch: pushed.commit}
    assert deliver(told, lambda delivery: delivery.push(str(there), MESSAGE)).state == "found"
    assert deliver(told, lambda delivery: delivery.push("origin", "Otherwise\n")).state == "found"
    assert deliver(told, to_branch).commit == pushed.commit
    assert branches(there) == {pushed.branch: pushed.commit}


def test_a_push_moves_no_branch_and_tells_why(told: Told, repository: Path, tmp_path: Path) -> None:
    there = bare(tmp_path / "there.git")
    name = branch_name("", told.candidates[0])
    git(repository, "push", "-q", str(there), f"HEAD:refs/heads/{name}")
    before = branches(there)
    with pytest.raises(DeliveryError, match="something else"):
        deliver(told, lambda delivery: delivery.push(str(there), MESSAGE))
    assert branches(there) == before
    git(there, "update-ref", "-d", f"refs/heads/{name}")
    hook = there / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(DeliveryError, match="refused"):
        deliver(told, lambda delivery: delivery.push(str(there), MESSAGE))


@pytest.mark.parametrize(
    "remote",
    ["nowhere", "/no/such/folder", "--upload-pack=touch x", "ext::sh -c true", "https://me:hunter22@[::1]:1/x"],
)
def test_a_remote_that_is_none_is_one_clear_error_without_passwords(told: Told, remote: str) -> None:
    with pytest.raises(DeliveryError) as refused:
        deliver(told, lambda delivery: delivery.push(remote, MESSAGE))
    assert "hunter22" not in str(refused.value)
    assert "remote" in refused.value.what


def test_files_are_replaced_and_kept_and_found_again(told: Told, repository: Path) -> None:
    core = repository / "sums" / "core.py"
    core.chmod(0o640)
    index = (repository / ".git" / "index").read_bytes()
    made = deliver(told, to_files)
    assert core.read_text() == FAST
    assert core.stat().st_mode & 0o777 == 0o640
    assert (repository / ".git" / "index").read_bytes() == index
    ((file, copy),) = made.backups
    assert (file, Path(copy).read_text()) == (str(core), SLOW)
    found = deliver(told, to_files)
    assert (found.state, found.backups) == ("found", made.backups)
    core.write_text(SLOW)  # undone by hand
    again = deliver(told, to_files)
    assert again.state == "made"
    assert core.read_text() == FAST


def test_files_that_the_user_has_changed_are_merged(told: Told, repository: Path) -> None:
    core = repository / "sums" / "core.py"
    core.write_text(SLOW + "\n\nX = 1\n")
    made = deliver(told, to_files)
    assert made.merged == ("sums/core.py",)
    assert core.read_text() == FAST + "\n\nX = 1\n"
    assert deliver(told, to_files).state == "found"


def test_no_file_is_written_behind_a_link(told: Told, repository: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "core.py").write_text(SLOW)
    (repository / "sums" / "core.py").unlink()
    (repository / "sums" / "core.py").symlink_to(tmp_path / "elsewhere" / "core.py")
    with pytest.raises(DeliveryError, match="link"):
        deliver(told, to_files)
    assert (tmp_path / "elsewhere" / "core.py").read_text() == SLOW


# ---------------------------------------------------------------------- which candidate


@pytest.mark.parametrize("verdict", [None, "cannot tell", "worse"])
def test_without_a_verdict_that_it_is_better_nothing_is_delivered(
    repository: Path, tmp_path: Path, verdict: str | None
) -> None:
    told = told_campaign(tmp_path / "home", repository / "campaign.yaml", verdict=verdict, finished=False)
    with pytest.raises(DeliveryError, match="not verified") as refused:
        deliver(told, to_branch)
    assert f"resume {told.id}" in refused.value.hint
    assert "--unverified" in refused.value.hint
    assert deliver(told, to_branch, unverified=True).state == "made"


def test_the_last_that_was_verified_comes_before_a_better_one_that_was_not(repository: Path, tmp_path: Path) -> None:
    candidates = [{"sums/core.py": FAST}, {"sums/core.py": FAST + "X = 1\n"}]
    told = told_campaign(tmp_path / "home", repository / "campaign.yaml", candidates=candidates, speedups=[40.0, 30.0])
    assert deliver(told, to_branch).branch.endswith(told.candidates[1])
    with pytest.raises(DeliveryError, match="not compared"):
        deliver(told, to_branch, told.candidates[0])


def test_a_refused_candidate_is_never_put_anywhere(repository: Path, tmp_path: Path) -> None:
    told = told_campaign(tmp_path / "home", repository / "campaign.yaml", speedups=[None], verdict=None)
    for how in (to_branch, to_files):
        with pytest.raises(DeliveryError, match="1 of 2 tests failed"):
            deliver(told, how, told.candidates[0], unverified=True)
    with pytest.raises(DeliveryError, match="no candidate"):
        deliver(told, to_branch, unverified=True)


def test_a_delivery_is_one_effect(told: Told) -> None:
    for _ in range(3):
        deliver(told, to_branch)
    with told.state.open_ledger() as ledger:
        (effect,) = ledger.effects.of(told.id, "delivery")
    assert effect.state == "finished"
    assert json.loads(effect.result)["branch"] == effect.request["branch"]
