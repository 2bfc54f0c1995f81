"""Artifacts: whole, private, shared, checked at every reading; a damaged one is set aside and never answered."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import NotFoundError, StorageError
from memory.artifacts import Artifacts


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path / "artifacts")


def files(artifacts: Artifacts) -> list[Path]:
    return sorted(p for p in artifacts.folder.rglob("*") if p.is_file())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2000) | st.text(max_size=500))
def test_what_is_put_comes_back_by_the_hash_of_its_content(artifacts: Artifacts, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    reference = artifacts.put(content)
    assert reference == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert artifacts.get(reference) == data
    assert reference in artifacts
    if isinstance(content, str):
        assert artifacts.text(reference) == content


def test_the_same_content_is_one_private_file_smaller_than_it(artifacts: Artifacts) -> None:
    old = os.umask(0)
    try:
        references = {artifacts.put("a line of a diff\n" * 1000) for _ in range(3)}
    finally:
        os.umask(old)
    [reference], [file] = references, files(artifacts)
    digest = reference.removeprefix("sha256:")
    assert file == artifacts.folder / digest[:2] / digest[2:]
    assert file.stat().st_size < 500
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(p.stat().st_mode) for p in (artifacts.folder, file.parent)} == {0o700}


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "other content"])
def test_a_damaged_artifact_is_set_aside_and_can_be_put_again(artifacts: Artifacts, damage: str) -> None:
    content = os.urandom(3000)
    reference = artifacts.put(content)
    [file] = files(artifacts)
    whole = file.read_bytes()
    other = Artifacts(artifacts.folder.parent / "other")
    other.put(b"something else")
    bad = {
        "empty": b"",
        "cut": whole[:-10],
        "changed": whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        "other content": files(other)[0].read_bytes(),
    }[damage]
    file.write_bytes(bad)

    with pytest.raises(StorageError, match="damaged") as caught:
        artifacts.get(reference)
    aside = Path(caught.value.where)
    assert aside.read_bytes() == bad
    assert reference not in artifacts
    with pytest.raises(NotFoundError, match="no artifact"):
        artifacts.get(reference)

    file.write_bytes(bad)  # and found by whoever puts the content again
    assert artifacts.put(content) == reference
    assert artifacts.get(reference) == content
    assert file.with_name(f"{file.name}.damaged-2").read_bytes() == bad


@pytest.mark.parametrize(
    "reference", ["", "sha256:", "sha256:../../etc/passwd", "md5:" + "0" * 64, "sha256:" + "A" * 64, "0" * 64]
)
def test_a_reference_that_is_none_reads_no_file(artifacts: Artifacts, reference: str) -> None:
    with pytest.raises(NotFoundError, match="is no artifact"):
        artifacts.get(reference)


WRITER = """
import sys
from pathlib import Path
from memory.artifacts import Artifacts
artifacts = Artifacts(Path(sys.argv[1]))
for number in range(60):
    artifacts.put(f"{number}\\n" * 5000)
"""


def test_two_processes_put_the_same_at_once(artifacts: Artifacts) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(artifacts.folder)]) for _ in range(2)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    assert len(files(artifacts)) == 60
    for number in range(60):
        assert artifacts.text(artifacts.put(f"{number}\n" * 5000)) == f"{number}\n" * 5000


def test_a_full_disk_leaves_no_half_of_an_artifact(disk: Any) -> None:
    artifacts = Artifacts(disk.path / "artifacts")
    kept = artifacts.put("before")
    disk.fill()
    content = os.urandom(50_000)
    with pytest.raises(StorageError, match="cannot write"):
        artifacts.put(content)
    assert artifacts.text(kept) == "before"
    disk.empty()
    assert artifacts.get(artifacts.put(content)) == content
    assert len(files(artifacts)) == 2


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as caught:
        Artifacts(tmp_path / "file" / "artifacts").put("x")
    assert str(tmp_path / "file") in caught.value.where
