"""Releases on disk: whole, checked, and the same again after a rollback."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.deployment import LiveTarget
from core.errors import ConfigError, DeploymentError, NotFoundError, StorageError
from runtime.deployment import LiveService, Releases
from tests.conftest import Disk
from tests.runtime.deployment.running_service import YES, release, write_code

TARGET: dict[str, Any] = {
    "service": "plain",
    "allowed": ("**",),
    "reload": {"kind": "command", "command": ["true"]},
    "health": {"command": ["true"]},
}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


NAMES = st.sampled_from(["first.py", "inner/numbers.py", "inner/new.py", "deep/er/new.py", "README.md"])


@settings(max_examples=8, deadline=None)
@given(changes=st.dictionaries(NAMES, st.none() | st.text(max_size=30) | st.binary(max_size=30), min_size=1))
def test_a_rollback_undoes_any_deployment_to_the_byte(changes: dict[str, str | bytes | None]) -> None:
    with tempfile.TemporaryDirectory() as place:
        live = LiveService(LiveTarget.model_validate({**TARGET, "folder": Path(place) / "live"}))
        live.releases.adopt(write_code(Path(place) / "code"))
        before = files(live.releases.link)
        after = {**before, **{path: new.encode() if isinstance(new, str) else new for path, new in changes.items()}}
        wanted = {path: new for path, new in after.items() if new is not None}
        plan = live.plan(changes)
        if wanted == before:
            with pytest.raises(DeploymentError):
                live.deploy(plan, changes, leave=YES)
            return
        live.deploy(plan, changes, leave=YES)
        assert files(live.releases.link) == wanted
        live.roll_back(plan.id, reason="to see it")
        assert files(live.releases.link) == before


def test_a_release_that_was_touched_does_not_go_live(tmp_path: Path) -> None:
    releases = Releases(tmp_path / "live")
    first = releases.adopt(write_code(tmp_path / "code"))
    for damage in ("changed", "missing", "added", "link"):
        digest = releases.store(first, {"first.py": f"# {damage}\n"})
        tree = releases.tree(digest)
        if damage == "changed":
            (tree / "first.py").write_text("# other\n")
        elif damage == "missing":
            (tree / "inner/numbers.py").unlink()
        elif damage == "added":
            (tree / "inner/more.py").write_text("")
        else:
            (tree / "inner/link.py").symlink_to("/etc/passwd")
        with pytest.raises(StorageError):
            releases.switch(digest)
        assert releases.current() == first
    releases.check(first)


def test_links_in_place_of_folders_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "live").mkdir()
    (tmp_path / "live/releases").symlink_to(elsewhere)
    with pytest.raises(StorageError):
        Releases(tmp_path / "live").adopt(write_code(tmp_path / "code"))
    assert not list(elsewhere.iterdir())
    (tmp_path / "live/current").symlink_to("../code")
    with pytest.raises(StorageError, match="no release"):
        Releases(tmp_path / "live").current()


def test_what_is_adopted_stays_and_is_adopted_once(tmp_path: Path) -> None:
    code = write_code(tmp_path / "code")
    (code / ".env").write_text("SECRET=1\n")
    (code / "link.py").symlink_to("/etc/passwd")
    releases = Releases(tmp_path / "live")
    with pytest.raises(NotFoundError):
        releases.current()
    before = files(code)
    first = releases.adopt(code)
    assert files(code) == before
    assert set(releases.files(first)) == {"README.md", "first.py", "inner/__init__.py", "inner/numbers.py"}
    (code / "first.py").write_text("# the owner goes on\n")
    assert releases.adopt(code) == first
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/current").mkdir()
    with pytest.raises(ConfigError):
        Releases(tmp_path / "taken").adopt(code)
    with pytest.raises(DeploymentError, match="in a file"):
        releases.store(first, {"first.py/x.py": ""})


def test_a_full_disk_keeps_what_is_live_and_lets_it_go_back(disk: Disk, tmp_path: Path) -> None:
    live = LiveService(LiveTarget.model_validate({**TARGET, "folder": disk.path / "live"}))
    first = live.releases.adopt(write_code(tmp_path / "code"))
    disk.fill()
    with pytest.raises(StorageError):
        live.deploy(live.plan(release(2)), release(2), leave=YES)
    assert live.releases.current() == first
    live.releases.check(first)
    disk.empty()

    state = live.deploy(live.plan(release(2)), release(2), leave=YES)
    assert state.stage == "watching"
    disk.fill()
    back = live.roll_back(state.deployment.id, reason="worse")
    assert back.stage == "rolled_back"
    assert live.releases.current() == first
    assert live.state(state.deployment.id).stage == "rolled_back"  # written down, in the room that was kept
    disk.empty()
    assert live.recover() == []
