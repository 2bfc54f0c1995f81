"""Candidates: one row each, told twice kept once, read on from where a reader was; also in an old ledger."""

from __future__ import annotations

import math
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from postgres_cluster import cluster, missing

from core.errors import NotFoundError, StorageError
from memory import schema
from memory.candidates import ROW_BYTES, CandidateRow, Candidates
from memory.ledger import Ledger
from memory.state_folder import StateFolder

OLD = Path(__file__).parents[1] / "data" / "ledgers" / "schema-1-before-candidates.sql"
DIFF = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+é\n"


def row(number: int, *parents: int, campaign_id: str = "fast-1", **rest: object) -> CandidateRow:
    made = CandidateRow(
        id=f"c-{number}",
        campaign_id=campaign_id,
        cycle=number // 3,
        operator="hoist",
        status="better",
        score=number / 7,
        parents=tuple(f"c-{p}" for p in parents),
        strategy="exploit",
        novelty=0.25,
        measures={"lines": 12.0, "metric:accuracy": 0.1 + 0.2},
        touched=("x.py:f", "x.py:g"),
    )
    return replace(made, **rest)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with cluster() as url:
        yield url


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql",
            marks=[pytest.mark.skipif(bool(missing()), reason=missing()), pytest.mark.xdist_group("postgres")],
        ),
    ]
)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    sqlite = request.param == "sqlite"
    with Ledger(tmp_path / "ledger.db" if sqlite else request.getfixturevalue("server")) as opened:
        yield opened
        if not sqlite:
            schema.metadata.drop_all(opened.database.engine)


@pytest.fixture
def candidates(ledger: Ledger, tmp_path: Path) -> Candidates:
    return StateFolder(tmp_path / "home").open_candidates(ledger)


def test_a_candidate_comes_back_as_it_was_told(candidates: Candidates) -> None:
    told = row(1, 0), row(2, status="failed", score=None, reason="2 of 9 tests failed", measures={}, touched=())
    assert candidates.add(told[0], DIFF)
    assert candidates.add(told[1])
    kept = list(candidates.of("fast-1"))
    assert [replace(k, position=0) for k in kept] == list(told)
    assert candidates.candidate("c-1") == kept[0]
    assert (candidates.diff("c-1"), candidates.diff("c-2")) == (DIFF, "")


def test_what_is_told_twice_is_kept_once(candidates: Candidates) -> None:
    assert candidates.add(row(1), DIFF)
    assert not candidates.add(row(1, score=9.0), "another diff")
    assert candidates.count("fast-1") == 1
    assert candidates.candidate("c-1").score == row(1).score
    assert candidates.diff("c-1") == DIFF


def test_a_reader_goes_on_from_where_it_was(candidates: Candidates) -> None:
    for number in range(10):
        candidates.add(row(number, campaign_id=f"fast-{number % 2}"))
    first = list(candidates.of("fast-0", limit=2))
    assert [c.id for c in first] == ["c-0", "c-2"]
    assert [c.id for c in candidates.of("fast-0", after=first[-1].position)] == ["c-4", "c-6", "c-8"]
    assert list(candidates.of("fast-0", after=10_000)) == list(candidates.of("fast-9")) == []
    assert (candidates.count("fast-0"), candidates.count("fast-9")) == (5, 0)


def test_a_lineage_is_walked_backwards_each_ancestor_once(candidates: Candidates) -> None:
    for one in (row(1), row(2, 1), row(3, 1), row(4, 2, 3), row(5, 9), row(6, 4)):
        candidates.add(one)  # the parent of the fifth is the base, which is no candidate
    candidates.add(row(7, 8, 6))
    candidates.add(row(8, 7))  # damage, but no reason to walk in circles
    assert [c.id for c in candidates.lineage("c-6")] == ["c-6", "c-4", "c-2", "c-3", "c-1"]
    assert [c.id for c in candidates.lineage("c-5")] == ["c-5"]
    assert len(candidates.lineage("c-7")) == 7
    for ask in (candidates.lineage, candidates.candidate, candidates.diff):
        with pytest.raises(NotFoundError, match="no candidate 'c-0'"):
            ask("c-0")


def noise(size: int) -> str:
    return "".join(random.Random(size).choices("0123456789abcdef\n", k=size))


@pytest.mark.parametrize("size", [0, 10, 2000, 4000, 4800, 8000, 100_000])
def test_a_row_never_takes_more_than_it_may_and_no_diff_is_lost(
    candidates: Candidates, ledger: Ledger, tmp_path: Path, size: int
) -> None:
    long = row(1, reason="\0\udc80" + "e" * 5000, touched=tuple(f"file_{i}.py:function" for i in range(500)))
    for one, diff in ((long, noise(size)), (row(2), noise(size + 1) + "\udc80")):
        candidates.add(one, diff)
        assert candidates.diff(one.id) == diff
    with ledger.database.read() as connection:
        for stored in connection.execute(schema.candidates.select()):
            texts = [v.encode() if isinstance(v, str) else v for v in stored if isinstance(v, str | bytes)]
            assert sum(map(len, texts)) <= ROW_BYTES
    kept = candidates.candidate("c-1")
    assert len(kept.reason) == 300
    assert kept.touched == long.touched[: len(kept.touched)]
    assert len(kept.touched) > 30
    assert bool(kept.artifact) == (size > 4500) == (tmp_path / "home" / "artifacts").exists()


def test_a_number_that_is_none_and_a_row_that_is_too_big_are_refused(candidates: Candidates) -> None:
    for wrong in (row(1, score=math.nan), row(1, novelty=math.inf), row(1, measures={"lines": math.nan})):
        with pytest.raises(ValueError, match=r"candidate c-1: .* is (nan|inf)"):
            candidates.add(wrong)
    with pytest.raises(ValueError, match="bytes, more than"):
        candidates.add(row(1, operator="x" * ROW_BYTES))
    assert candidates.count("fast-1") == 0


def test_a_damaged_diff_is_named_and_the_rest_can_be_read(candidates: Candidates, ledger: Ledger) -> None:
    candidates.add(row(1), DIFF)
    candidates.add(row(2), DIFF)
    with ledger.database.write() as connection:
        connection.execute(schema.candidates.update().where(schema.candidates.c.id == "c-1").values(diff=b"no zlib"))
    with pytest.raises(StorageError, match="the diff of candidate c-1 is damaged"):
        candidates.diff("c-1")
    assert candidates.diff("c-2") == DIFF
    assert candidates.count("fast-1") == 2


WRITER = """
import sys
from pathlib import Path
from memory.candidates import CandidateRow
from memory.state_folder import StateFolder
folder = StateFolder(Path(sys.argv[1]))
with folder.open_ledger() as ledger:
    candidates = folder.open_candidates(ledger)
    for number in range(150):
        candidates.add(CandidateRow(f"c-{number}", "fast-1", number, sys.argv[2], "better"), f"diff {number}")
"""


def test_two_processes_tell_the_same_at_once_and_a_third_misses_nothing(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    with folder.open_ledger() as ledger:
        writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in ("a", "b")]
        candidates, seen = folder.open_candidates(ledger), []
        while any(writer.poll() is None for writer in writers) or len(seen) < candidates.count("fast-1"):
            seen += candidates.of("fast-1", after=seen[-1].position if seen else 0)
        assert [writer.wait() for writer in writers] == [0, 0]
        assert [c.id for c in seen] == [f"c-{n}" for n in range(150)]
        assert all(candidates.diff(c.id) == f"diff {c.cycle}" for c in seen)


# ---------------------------------------------------------------------------------------------------- old ledgers


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A ledger as it was written before there were candidates."""
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(OLD.read_text())
    connection.close()
    return path


def test_a_ledger_from_before_there_were_candidates_is_read_and_takes_them(old: Path, tmp_path: Path) -> None:
    with Ledger(old, check=True) as ledger:
        assert ledger.campaign("tiny-1").definition.name == "tiny"
        assert [e.type for e in ledger.events("tiny-1")][-2:] == ["JobFinished", "CampaignResumed"]
        assert [e.result for e in ledger.effects.of("tiny-1")] == ["42"]
        assert [e.id for e in ledger.embeddings.embeddings()] == ["t-1"]
        candidates = StateFolder(tmp_path / "home").open_candidates(ledger)
        assert list(candidates.of("tiny-1")) == []
        assert candidates.add(row(1), DIFF)
    with Ledger(old, check=True) as ledger:
        assert StateFolder(tmp_path / "home").open_candidates(ledger).diff("c-1") == DIFF


def test_an_older_version_still_reads_a_ledger_with_candidates(old: Path, tmp_path: Path) -> None:
    """Its tables and its schema number are what they were."""
    before = tmp_path / "before.db"
    shutil.copy(old, before)
    with Ledger(old) as ledger:
        StateFolder(tmp_path / "home").open_candidates(ledger).add(row(1), DIFF)
    tables = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT IN ('candidate')"
    with sqlite3.connect(before) as first, sqlite3.connect(old) as second:
        assert set(first.execute(tables)) <= set(second.execute(tables))
        assert list(second.execute("SELECT value FROM ledger WHERE name = 'schema'")) == [("1",)]
    first.close()
    second.close()
