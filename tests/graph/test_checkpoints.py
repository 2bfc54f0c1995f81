"""Checkpoints: read strictly, small, one thread a cycle, and never the only place where something stands."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from langgraph.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_SINGLE_ARG, JsonPlusSerializer
from tiny_campaign import ROOT, run, runs
from tiny_run import TinyRun

from core.errors import StorageError
from graph.campaign import KEPT_THREADS


@pytest.fixture
def interrupted(tmp_path: Path) -> TinyRun:
    """A campaign stopped in mid-cycle, after the vote."""
    campaign = TinyRun(tmp_path)
    ending, _ = campaign.run(stop_at="VoteCast")
    assert ending.status == "interrupted"
    return campaign


def checkpoint_file(campaign: TinyRun) -> Path:
    return campaign.home.checkpoints / "tiny-1.db"


def query(campaign: TinyRun, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(checkpoint_file(campaign))) as connection:
        return connection.execute(sql).fetchall()


# -------------------------------------------------------------------------------------------------- tampering


def touching(marker: Path) -> ormsgpack.Ext:
    """A value that, read without care, calls `os.mkdir(marker)`."""
    return ormsgpack.Ext(EXT_CONSTRUCTOR_SINGLE_ARG, ormsgpack.packb(("os", "mkdir", str(marker))))


def tamper(campaign: TinyRun, marker: Path) -> None:
    """Put the value in place of the direction and of every agenda, wherever they stand."""
    with closing(sqlite3.connect(checkpoint_file(campaign))) as connection, connection:
        for thread, number, blob in connection.execute("SELECT thread_id, checkpoint_id, checkpoint FROM checkpoints"):
            content = ormsgpack.unpackb(blob, ext_hook=ormsgpack.Ext, option=ormsgpack.OPT_NON_STR_KEYS)
            content["channel_values"] = {name: touching(marker) for name in content["channel_values"]}
            connection.execute(
                "UPDATE checkpoints SET checkpoint = ? WHERE thread_id = ? AND checkpoint_id = ?",
                (ormsgpack.packb(content, option=ormsgpack.OPT_NON_STR_KEYS), thread, number),
            )
        connection.execute("UPDATE writes SET value = ?", (ormsgpack.packb(touching(marker)),))


def test_the_tampered_value_is_dangerous(tmp_path: Path) -> None:
    """Otherwise the tests below would say nothing."""
    careless = JsonPlusSerializer(allowed_msgpack_modules=True)
    careless.loads_typed(("msgpack", ormsgpack.packb({"direction": touching(tmp_path / "marker")})))
    assert (tmp_path / "marker").exists()


LOAD = """
import asyncio, sys
if sys.argv[2] == "langgraph first":
    import langgraph.graph
from pathlib import Path
from graph.campaign import open_cycle
from memory.state_folder import StateFolder

async def main():
    with open_cycle(StateFolder(Path(sys.argv[1])), "tiny-1") as cycle:
        state = await cycle.aget_state({"configurable": {"thread_id": "tiny-1:1"}})
        print("loaded", type(state.values.get("direction")).__name__)

asyncio.run(main())
"""


@pytest.mark.parametrize("order", ["graph first", "langgraph first"])
@pytest.mark.parametrize("tampered", [False, True])
def test_a_tampered_checkpoint_runs_no_code(interrupted: TinyRun, tmp_path: Path, order: str, tampered: bool) -> None:
    """LangGraph reads its variable when it is imported; whichever is imported first, loading is strict."""
    marker = tmp_path / "marker"
    if tampered:
        tamper(interrupted, marker)
    words = [sys.executable, "-c", LOAD, str(interrupted.home.home), order]
    loaded = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)
    assert not marker.exists()
    assert ("loaded Direction" in loaded.stdout) is not tampered, loaded.stderr


def test_a_campaign_refuses_to_start_with_strict_reading_switched_off(interrupted: TinyRun) -> None:
    home = str(interrupted.home.home)
    code, told, _ = run("resume", "--home", home, env={"LANGGRAPH_STRICT_MSGPACK": "false"}, cold=True)
    assert code == 3
    assert told[-1]["error"]["what"] == "LANGGRAPH_STRICT_MSGPACK is switched off"


# ------------------------------------------------------------------------------------------- size and threads


def test_a_thread_a_cycle_and_only_the_last_ones_are_kept(tmp_path: Path) -> None:
    campaign = TinyRun(tmp_path, until="score >= 5", budget={"cycles": KEPT_THREADS + 3})
    campaign.run()
    last = KEPT_THREADS + 3
    kept = {f"tiny-1:{number}" for number in range(last - KEPT_THREADS + 1, last + 1)}
    assert {thread for (thread,) in query(campaign, "SELECT DISTINCT thread_id FROM checkpoints")} == kept
    assert {thread for (thread,) in query(campaign, "SELECT DISTINCT thread_id FROM writes")} <= kept
    size_bytes = checkpoint_file(campaign).stat().st_size

    campaign.run({"budget.cycles": 3 * last})

    assert campaign.history().last_finished_cycle == 3 * last
    assert checkpoint_file(campaign).stat().st_size <= 1.1 * size_bytes


def test_a_state_holds_its_own_cycle_only(tmp_path: Path) -> None:
    """The last checkpoint of a late cycle is no larger than that of an early one (that has predictions already)."""
    campaign = TinyRun(tmp_path, until="score >= 5", budget={"cycles": 4})
    largest = "SELECT max(length(checkpoint)) FROM checkpoints WHERE thread_id = 'tiny-1:{}'"
    campaign.run()
    [(early,)] = query(campaign, largest.format(4))
    campaign.run({"budget.cycles": 12})
    [(late,)] = query(campaign, largest.format(12))
    assert late <= 1.1 * early


# ----------------------------------------------------------------------------------------- lost and damaged


def test_a_campaign_goes_on_without_its_checkpoints(interrupted: TinyRun) -> None:
    told = interrupted.history().cycles[1]
    for path in interrupted.home.checkpoints.iterdir():
        path.unlink()
    ending, history = interrupted.run()
    assert (ending.status, len(history.experiments())) == ("finished", 2)
    assert history.cycles[1].proposals == told.proposals
    assert history.cycles[1].votes == told.votes  # nobody was asked twice
    assert set(runs(interrupted.folder).values()) == {1}


@pytest.mark.parametrize("where", ["header", "truncation"])
def test_damaged_checkpoints_are_set_aside_and_the_next_start_goes_on(interrupted: TinyRun, where: str) -> None:
    path = checkpoint_file(interrupted)
    content = path.read_bytes()
    path.write_bytes(b"\0" * 64 + content[64:] if where == "header" else content[: len(content) // 2])
    damaged = path.read_bytes()
    with pytest.raises(StorageError, match="the checkpoints are damaged") as caught:
        interrupted.run()
    assert Path(caught.value.where).read_bytes() == damaged
    ending, history = interrupted.run()
    assert (ending.status, len(history.experiments())) == ("finished", 2)
    assert set(runs(interrupted.folder).values()) == {1}
