"""Kill -9 at everything that a delivery does, one after the other, then the same call: one branch, one commit.

Always at some of them; RATCHET_SLOW=1 at each.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.graph.code_packages import FAST, SLOW, Told, commit_all, git, told_campaign, write_package
from tests.graph.repositories import bare, branches, snapshot
from tests.warm_program import start_warm

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("delivery_worker.py")
STRIDE = 1 if os.environ.get("RATCHET_SLOW") else 9
NEVER = 10**6


def work(told: Told, left: int, how: str, *more: str) -> subprocess.CompletedProcess[str]:
    words = [str(WORKER), str(left), str(told.home), told.id, how, *more]
    process = start_warm(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=told.folder)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(words, process.wait(), out, err)


class World:
    """A repository, a remote and a state folder, made anew for every moment of a kill."""

    def __init__(self, folder: Path) -> None:
        self.original = folder / "original"
        self.folder = folder / "world"  # the same place every time: the campaign knows its path
        write_package(self.folder / "repo")
        (self.folder / "repo" / "sums" / "extra.py").write_text("X = 1\n")
        commit_all(self.folder / "repo")
        bare(self.folder / "remote.git")
        (self.folder / "repo" / "sums" / "other.py").write_text("LIMIT = 99\n")
        changed = {
            "sums/core.py": FAST,
            "sums/extra.py": None,
            "sums/new.py": "Y = 1\n",
            "sums/other.py": "LIMIT = 98\n",
        }
        self.told = told_campaign(self.folder / "home", self.folder / "repo" / "campaign.yaml", candidates=[changed])
        git(self.folder / "repo", "add", "-A")
        git(self.folder / "repo", "commit", "-q", "-m", "on")
        shutil.copytree(self.folder, self.original, symlinks=True)

    def anew(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self.original, self.folder, symlinks=True)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def all_deliveries(repository: Path) -> set[str]:
    """Every commit of a delivery among all objects, whether anything leads to it or not."""
    objects = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)").split(
        "\n"
    )
    commits = [line.split()[1] for line in objects if line.startswith("commit")]
    shown = git(
        repository, "show", "-s", "--format=%H %(trailers:key=Ratchet-Candidate,valueonly,separator=+)", *commits
    )
    return {line.split()[0] for line in shown.splitlines() if len(line.split()) == 2}


def moments(world: World, how: str, *more: str) -> list[int]:
    """Of the things that an uninterrupted delivery does, those that a kill comes at: the last ones are what counts."""
    done = work(world.told, NEVER, how, *more)
    assert done.returncode == 0, done.stderr
    count = int(done.stdout)
    assert count > STRIDE
    return sorted({*range(1, count + 1, STRIDE), *range(max(1, count - 8), count + 1)})


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", ["branch", "push"])
def test_one_branch_and_one_commit_whenever_it_was_killed(world: World, how: str) -> None:
    repository, remote = world.folder / "repo", world.folder / "remote.git"
    more = [str(remote)] if how == "push" else []
    where = remote if how == "push" else repository
    at = moments(world, how, *more)
    expected = branches(where)
    for left in at:
        world.anew()
        before = snapshot(repository)
        assert work(world.told, left, how, *more).returncode == -signal.SIGKILL
        assert set(branches(where).items()) <= set(expected.items()), left
        if left % 2:  # the user goes on in between
            git(repository, "commit", "-q", "--allow-empty", "-m", "meanwhile")
            before = snapshot(repository)
        done = work(world.told, NEVER, how, *more)
        assert done.returncode == 0, done.stderr
        assert snapshot(repository) == before, left
        (name,) = set(branches(where)) - {"main"}
        commits = git(where, "rev-list", name, "--grep", "Ratchet-Candidate").split()
        assert commits == [branches(where)[name]], left
        assert all_deliveries(repository) == set(commits), left  # not even one that no branch names
        with world.told.state.open_ledger() as ledger:
            (effect,) = ledger.effects.of(world.told.id, "delivery")
        assert effect.state == "finished", left


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_files_are_all_replaced_in_the_end_and_never_half(world: World) -> None:
    root = world.folder / "repo" / "sums"
    names = ("core.py", "extra.py", "new.py", "other.py")

    def files() -> dict[str, str | None]:
        return {name: (root / name).read_text() if (root / name).exists() else None for name in names}

    world.anew()
    before = files()
    at = moments(world, "files")
    after = files()
    assert (before["core.py"], after["core.py"]) == (SLOW, FAST)
    for left in at:
        world.anew()
        assert work(world.told, left, "files").returncode == -signal.SIGKILL
        now = files()
        assert all(now[name] in (before[name], after[name]) for name in names), left
        done = work(world.told, NEVER, "files")
        assert done.returncode == 0, done.stderr
        assert files() == after, left
        kept = world.folder / "home" / "deliveries" / world.told.candidates[0] / "replaced-1"
        copies = {str(path.relative_to(kept)): path.read_text() for path in kept.rglob("*.py")}
        assert copies == {f"sums/{name}": text for name, text in before.items() if text is not None}, left
        assert not list(world.folder.rglob("*.ratchet-new")), left


def test_several_at_once_come_to_one_branch(world: World) -> None:
    words = [sys.executable, str(WORKER), str(NEVER), str(world.told.home), world.told.id, "branch"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        for _ in range(3)
    ]
    ended = [(process.communicate(timeout=300)[1], process.returncode) for process in processes]
    assert any(code == 0 for _, code in ended)
    assert all(code == 0 or "BusyError" in stderr for stderr, code in ended), ended
    assert len(branches(world.folder / "repo")) == 2
