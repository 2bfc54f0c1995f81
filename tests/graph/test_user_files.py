"""The user's files back and forth: every step by its hashes, whoever was killed, and whoever changed them meanwhile."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cut_off import ended, in_child, killed_everywhere
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BusyError, DeliveryError, NotFoundError
from graph.user_files import LEASE, UserFiles
from memory.state_folder import StateFolder
from runtime.delivery import Replacement

Files = dict[str, bytes]

OLD: Files = {"a.py": b"a = 1\r\n", "deep/b.py": b"b = 1\n", "gone.py": b"\xff\x00"}
NEW: Files = {"a.py": b"a = 2\n", "deep/b.py": b"b = 2\n", "made/here.py": b"new\n"}


class Project:
    """A folder of the user's, and the state folder beside it."""

    def __init__(self, folder: Path, files: Mapping[str, bytes] = OLD) -> None:
        self.root = (folder / "project").resolve()
        self.root.mkdir()
        self.state = StateFolder(folder / "home")
        self.backups = folder / "backups"
        self.write(files)

    def write(self, files: Mapping[str, bytes]) -> None:
        for path, content in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(content)

    @property
    def files(self) -> Files:
        """Without what is half written: it has a name of its own."""
        found = (path for path in self.root.rglob("*") if path.is_file() and path.suffix != ".ratchet-new")
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}

    def change(self, name: str, wanted: Mapping[str, bytes]) -> None:
        there = self.files
        paths = sorted({*there, *wanted})
        plan = [Replacement(p, there.get(p), wanted.get(p)) for p in paths if there.get(p) != wanted.get(p)]
        with self.state.open_ledger() as ledger:
            UserFiles(self.state, ledger).replace(name, f"change {name}", self.root, plan, self.backups)

    def undo(self) -> str:
        with self.state.open_ledger() as ledger:
            return UserFiles(self.state, ledger).undo().id

    def redo(self) -> str:
        with self.state.open_ledger() as ledger:
            return UserFiles(self.state, ledger).redo().id


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    (made.root / "gone.py").chmod(0o755)
    return made


def test_back_and_forth_byte_for_byte_with_rights(project: Project) -> None:
    project.change("one", NEW)
    assert project.files == NEW
    project.undo()
    assert project.files == OLD
    assert (project.root / "gone.py").stat().st_mode & 0o777 == 0o755
    project.redo()
    assert project.files == NEW
    with pytest.raises(NotFoundError):
        project.redo()
    project.undo()
    with pytest.raises(NotFoundError):
        project.undo()
    assert project.files == OLD


Step = tuple[str, int]
STATES: tuple[Files, ...] = ({"a": b"1"}, {"a": b"2", "b": b"1"}, {}, {"b": b"2", "c/d": b""})


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("change", "undo", "redo")), st.integers(0, 3)), max_size=9))
def test_it_is_the_stack_of_an_editor(steps: list[Step]) -> None:
    with TemporaryDirectory() as folder:
        project = Project(Path(folder), STATES[0])
        line, at = [STATES[0]], 0
        for number, (what, which) in enumerate(steps):
            if what == "change":
                if STATES[which] != line[at]:
                    project.change(str(number), STATES[which])
                    line, at = [*line[: at + 1], STATES[which]], at + 1
            else:
                to = at - 1 if what == "undo" else at + 1
                turn = project.undo if what == "undo" else project.redo
                if 0 <= to < len(line):
                    turn()
                    at = to
                else:
                    with pytest.raises(NotFoundError):
                        turn()
            assert project.files == line[at]


def test_a_file_that_somebody_changed_is_named_and_nothing_is_touched(project: Project) -> None:
    project.change("one", NEW)
    project.write({"deep/b.py": b"mine\n"})
    with pytest.raises(DeliveryError, match=r"project/deep/b\.py; nothing was undone") as failed:
        project.undo()
    assert failed.value.exit_code == 1
    assert project.files == {**NEW, "deep/b.py": b"mine\n"}
    project.write({"deep/b.py": NEW["deep/b.py"], "gone.py": b"another"})  # made anew where one was taken away
    with pytest.raises(DeliveryError, match=r"gone\.py"):
        project.undo()
    (project.root / "gone.py").write_bytes(OLD["gone.py"])  # put back by hand: that is what it was
    project.undo()
    assert project.files == OLD


def test_a_link_in_the_place_of_a_file_is_not_followed(project: Project, tmp_path: Path) -> None:
    project.change("one", NEW)
    other = tmp_path / "other"
    other.write_bytes(NEW["a.py"])
    (project.root / "a.py").unlink()
    (project.root / "a.py").symlink_to(other)
    with pytest.raises(DeliveryError, match="link"):
        project.undo()
    assert other.read_bytes() == NEW["a.py"]
    assert project.files["deep/b.py"] == NEW["deep/b.py"]


@pytest.mark.parametrize("turn", ["undo", "redo"])
def test_killed_anywhere_the_same_call_goes_on(project: Project, turn: str) -> None:
    project.change("one", NEW)
    start, end = (NEW, OLD) if turn == "undo" else (OLD, NEW)
    if turn == "redo":
        project.undo()
    moments = 0
    for _ in killed_everywhere(getattr(project, turn)):
        moments += 1
        now = project.files
        assert all(now.get(path) in (start.get(path), end.get(path)) for path in {*start, *end, *now})
        with suppress(NotFoundError):  # it had come to its end
            getattr(project, turn)()
        assert project.files == end
        getattr(project, "redo" if turn == "undo" else "undo")()
        assert project.files == start
        assert not list(project.root.rglob("*.ratchet-new"))
    assert moments > 6
    assert project.files == end


def test_a_change_that_was_cut_off_can_be_undone(project: Project) -> None:
    def change() -> None:
        project.change("one", NEW)

    for _ in killed_everywhere(change):
        with suppress(NotFoundError):  # it was not written down yet, and nothing was touched
            project.undo()
        assert project.files == OLD


def test_several_at_once_undo_each_change_once(project: Project) -> None:
    states = [{**OLD, "a.py": b"%d" % number} for number in range(6)]
    for number, state in enumerate(states):
        project.change(str(number), state)

    def undo_all() -> None:
        while True:
            try:
                project.undo()
            except BusyError:
                continue
            except NotFoundError:
                return

    assert [ended(pid) for pid in [in_child(undo_all) for _ in range(2)]] == [0, 0]
    assert project.files == OLD
    for state in states:
        project.redo()
        assert project.files == state


def test_who_comes_while_another_writes_is_told(project: Project) -> None:
    project.change("one", NEW)

    def hold() -> None:
        with project.state.open_ledger() as ledger:
            ledger.leases.acquire(LEASE)
            signal_file.write_text("held")
            while signal_file.exists():
                time.sleep(0.01)

    signal_file = project.root.parent / "held"
    pid = in_child(hold)
    while not signal_file.exists():
        time.sleep(0.01)
    try:
        with pytest.raises(BusyError):
            project.undo()
        assert project.files == NEW
    finally:
        signal_file.unlink()
        ended(pid)
    project.undo()
    assert project.files == OLD


def test_of_several_files_one_that_could_not_be_written_is_no_part_of_the_change(project: Project) -> None:
    def write(name: str) -> None:
        (project.root / name).write_bytes(NEW[name])

    def fail() -> None:
        raise BusyError("somebody changed it meanwhile")

    with project.state.open_ledger() as ledger, UserFiles(project.state, ledger).one_by_one("by hand") as change:
        change.write(project.root / "a.py", OLD["a.py"], NEW["a.py"], lambda: write("a.py"))
        with pytest.raises(BusyError):
            change.write(project.root / "deep" / "b.py", OLD["deep/b.py"], NEW["deep/b.py"], fail)
    project.write({"deep/b.py": b"theirs\n"})
    project.undo()
    assert project.files == {**OLD, "deep/b.py": b"theirs\n"}
