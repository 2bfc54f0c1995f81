"""The database: private, refused when it is of another schema, set aside when damaged, and honest on a full disk."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import BusyError, ConfigError, StorageError
from core.events import CampaignResumed
from memory.ledger import Ledger
from memory.state_folder import StateFolder

EVENTS = 400


def sessions(ledger: Ledger) -> list[int]:
    return [event.session for event in ledger.events("tiny-1")]  # type: ignore[union-attr]


def append(ledger: Ledger, number: int) -> None:
    ledger.append(CampaignResumed(campaign_id="tiny-1", session=number))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed ledger of some hundred pages."""
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        ledger.append(*(CampaignResumed(campaign_id="tiny-1", session=n) for n in range(EVENTS)))
    return path


def test_every_file_is_private_to_the_user(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        folder = StateFolder(tmp_path / "home")
        with folder.open_ledger() as ledger:
            append(ledger, 1)
            files = {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.home.iterdir() if p.name[:9] == "ledger.db"}
        assert set(files) == {"ledger.db", "ledger.db-wal", "ledger.db-shm"}
        assert set(files.values()) == {0o600}
        assert stat.S_IMODE(folder.home.stat().st_mode) == 0o700
    finally:
        os.umask(old)


def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory&b #%41 ü" / "ledger.db"
    with Ledger(path, check=True) as ledger:
        append(ledger, 1)
    with Ledger(path, check=True) as ledger:
        assert sessions(ledger) == [1]


def test_a_ledger_of_another_schema_is_refused_and_not_touched(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE ledger SET value = '99'")
        connection.execute("DROP TABLE lease")
    with pytest.raises(StorageError, match="the ledger has schema 99, this version of Ratchet reads schema 1"):
        Ledger(path, check=True)
    with sqlite3.connect(path) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "lease" not in tables
    assert "event" in tables


def overwrite(path: Path, start: int, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(bytes(range(1, 256)) * (size // 255 + 1))


@pytest.mark.parametrize("where", ["header", "middle page", "truncation"])
def test_a_damaged_ledger_is_set_aside_and_nothing_is_overwritten(path: Path, where: str) -> None:
    size = path.stat().st_size
    if where == "header":
        overwrite(path, 0, 64)
    elif where == "middle page":
        overwrite(path, size // 2 // 4096 * 4096, 4000)
    else:
        os.truncate(path, size // 2)
    Path(f"{path}-wal").write_bytes(b"what was not yet written back")
    damaged = path.read_bytes()

    with pytest.raises(StorageError) as caught:
        Ledger(path, check=True)

    aside = Path(caught.value.where)
    assert aside.name == "ledger.db.damaged-1"
    assert "set aside" in caught.value.what
    assert str(path) in caught.value.hint
    assert aside.read_bytes() == damaged
    assert Path(f"{aside}-wal").exists()
    assert [p for p in (path, Path(f"{path}-wal"), Path(f"{path}-shm")) if p.exists()] == []
    with Ledger(path, check=True) as ledger:  # the next start begins anew, beside it
        assert sessions(ledger) == []
    overwrite(path, 0, 64)
    with pytest.raises(StorageError, match="set aside"):
        Ledger(path, check=True)
    assert aside.read_bytes() == damaged
    assert path.with_name("ledger.db.damaged-2").exists()


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="the sqlite3 program is not installed")
def test_the_hint_recovers_what_can_be_recovered(path: Path) -> None:
    overwrite(path, path.stat().st_size * 3 // 4 // 4096 * 4096, 4000)  # a leaf: below an inner page all would be gone
    with pytest.raises(StorageError) as caught:
        Ledger(path, check=True)
    command = re.search(r"recover what is whole: (.*)$", caught.value.hint)
    assert command is not None
    subprocess.run(["/bin/sh", "-c", command[1]], check=True, capture_output=True, timeout=60)
    with Ledger(path, check=True) as ledger:
        assert len(set(sessions(ledger)) & set(range(EVENTS))) > EVENTS // 2


def test_damage_met_while_it_runs_is_named(path: Path) -> None:
    with Ledger(path) as ledger:
        overwrite(path, 4096, path.stat().st_size - 4096)
        with pytest.raises(StorageError, match="the ledger is damaged"):
            sessions(ledger)


def test_a_whole_ledger_with_an_unfinished_log_is_not_called_damaged(path: Path, tmp_path: Path) -> None:
    """As after a kill: the last events stand in the write-ahead log only."""
    killed = "import os, sys; from memory.ledger import Ledger; from core.events import CampaignResumed\n"
    killed += "ledger = Ledger(sys.argv[1])\n"
    killed += f"ledger.append(CampaignResumed(campaign_id='tiny-1', session={EVENTS})); os.kill(os.getpid(), 9)\n"
    subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
    assert Path(f"{path}-wal").stat().st_size > 0
    with Ledger(path, check=True) as ledger:
        assert sessions(ledger) == list(range(EVENTS + 1))


def test_a_locked_ledger_says_so(path: Path) -> None:
    with Ledger(path) as ledger, sqlite3.connect(path, isolation_level=None) as other:
        with ledger.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=50")  # the pool's one connection: not ten seconds here
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError, match="locked"):
            append(ledger, EVENTS)
        assert len(sessions(ledger)) == EVENTS  # reading goes on
        other.execute("ROLLBACK")
        append(ledger, EVENTS)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as caught:
        Ledger(tmp_path / "file" / "ledger.db")
    assert str(tmp_path / "file") in caught.value.where


@pytest.mark.parametrize("url", ["mysql://user:secret@host/db", "://", "postgresql://user:secret@host:no/db"])
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Ledger(url)
    assert "secret" not in str(caught.value)


# ------------------------------------------------------------------------------------------------- a full disk


def append_until_full(ledger: Ledger, first: int) -> int:
    """The number of the first event that was not acknowledged."""
    number = first
    with pytest.raises(StorageError, match="the disk is full"):  # noqa: PT012
        while True:
            append(ledger, number)
            number += 1
    return number


def test_what_was_acknowledged_before_the_disk_was_full_is_kept(disk: Any) -> None:
    path = disk.path / "ledger.db"
    with Ledger(path) as ledger:
        append(ledger, 0)
        disk.fill()
        acknowledged = append_until_full(ledger, 1)
        assert sessions(ledger) == list(range(acknowledged))  # reading goes on
        disk.empty()
        append(ledger, acknowledged)  # and writing, when there is space
    with Ledger(path, check=True) as ledger:
        assert sessions(ledger) == list(range(acknowledged + 1))


def test_a_sound_ledger_on_a_full_disk_is_not_called_damaged(disk: Any) -> None:
    path = disk.path / "ledger.db"
    with Ledger(path) as ledger:
        append(ledger, 0)
    disk.fill()
    with pytest.raises(StorageError, match="the disk is full"):
        Ledger(path, check=True)
    assert list(disk.path.glob("*damaged*")) == []
    disk.empty()
    with Ledger(path, check=True) as ledger:
        assert sessions(ledger) == [0]
