"""Files are written whole or not at all, and only their owner reads them."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import StorageError
from core.files import write_atomically, write_private

WRITERS = [write_atomically, write_private]


@pytest.mark.parametrize("write", WRITERS)
def test_a_file_is_its_owners_and_its_folder_is_made(write: Callable[[Path, str], None], tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "note.txt"

    write(path, "α")

    assert path.read_text(encoding="utf-8") == "α"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new" / "deep").stat().st_mode) == 0o700


@pytest.mark.parametrize("write", WRITERS)
def test_halves_of_characters_are_written_as_they_are_told(write: Callable[[Path, str], None], tmp_path: Path) -> None:
    write(tmp_path / "note.txt", "name \udc80")

    assert (tmp_path / "note.txt").read_text(encoding="utf-8") == "name \\udc80"


@pytest.mark.parametrize("write", WRITERS)
def test_what_cannot_be_replaced_stays_and_nothing_is_left_beside_it(
    write: Callable[[Path, str], None], tmp_path: Path
) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(StorageError, match="cannot write"):
        write(tmp_path / "taken", "text")

    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_link_is_followed_by_one_and_replaced_by_the_other(tmp_path: Path) -> None:
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    link.symlink_to(real)

    write_atomically(link, "followed", mode=0o644)
    assert (link.is_symlink(), real.read_text(), stat.S_IMODE(real.stat().st_mode)) == (True, "followed", 0o644)

    write_private(link, "replaced")
    assert (link.is_symlink(), link.read_text(), real.read_text()) == (False, "replaced", "followed")
