"""One query for many keys against one for each: the same rows, for every affinity, collation and index of SQLite."""

from __future__ import annotations

import math
import sqlite3
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.code.transformations.selects import read_select

values = (
    st.sampled_from(
        ["a", "A", "a ", "1", "01", "1.0", "1e0", " 1", "", b"", b"1", b"a", None, True, 2**53, 2**53 + 1, -0.0]
    )
    | st.integers(-3, 3)
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=True)
    | st.text(max_size=3).filter(lambda text: not any("\ud800" <= char < "\ue000" for char in text))
)
COLUMNS = (
    "",
    "INTEGER",
    "INTEGER PRIMARY KEY",
    "TEXT",
    "TEXT COLLATE NOCASE",
    "TEXT COLLATE RTRIM",
    "REAL",
    "NUMERIC",
    "BLOB",
)
QUERIES = (
    "SELECT n, k FROM t WHERE k = ?",
    "SELECT * FROM t AS x WHERE x.k = ? AND n > 1 ORDER BY x.n ASC",
    "SELECT n FROM t WHERE k = ? ORDER BY n DESC",
    "SELECT n FROM t WHERE k == ? AND n IS NOT NULL AND k <> 'b' ORDER BY k, n",
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(COLUMNS),
    st.sampled_from(["", "(k)", "(k, n)", "(n)"]),
    st.sampled_from(QUERIES),
    st.lists(st.tuples(values, st.integers(0, 3) | st.none()), max_size=12),
    st.lists(values, min_size=1, max_size=12),
)
def test_every_key_gets_the_rows_of_its_own_query(
    column: str, index: str, query: str, rows: list[tuple[Any, Any]], keys: list[Any]
) -> None:
    found = read_select(query)
    assert found is not None
    conn = sqlite3.connect(":memory:")
    conn.execute(f"CREATE TABLE t (k {column}, n)")
    if index:
        conn.execute(f"CREATE INDEX own ON t {index}")
    for row in rows:
        try:
            conn.execute("INSERT INTO t VALUES (?, ?)", row)
        except sqlite3.Error:  # a key twice, or no number
            continue
    keys += [key for key, _ in rows]
    head, columns, tail = found.parts()
    text = head + ", ".join(f"({place}, ?)" for place in range(len(keys))) + columns + tail
    got: list[list[Any]] = [[] for _ in keys]
    for *row, place in conn.execute(text, keys):
        got[place].append(tuple(row))
    expected = [conn.execute(query, (key,)).fetchall() for key in keys]
    assert [list(map(_typed, each)) for each in got] == [list(map(_typed, each)) for each in expected]
    conn.close()


def _typed(row: tuple[Any, ...]) -> list[Any]:
    return [(type(one), "nan" if isinstance(one, float) and math.isnan(one) else one) for one in row]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT n FROM t WHERE k = 7",
        "SELECT n FROM t WHERE k = ? OR n = 1",
        "SELECT n FROM t WHERE k = ? AND (n = 1)",
        "SELECT n FROM t, u WHERE k = ?",
        "SELECT n FROM t JOIN u WHERE k = ?",
        "SELECT n FROM t LEFT WHERE k = ?",
        "SELECT n, (SELECT 1 FROM u) FROM t WHERE k = ?",
        "SELECT sum(n) FROM t WHERE k = ?",
        "SELECT n FROM t WHERE k > ?",
        "SELECT n FROM t WHERE k = ? AND n = ?",
        "SELECT n FROM t WHERE k = ? LIMIT 3",
        "SELECT n FROM t WHERE k = ? GROUP BY n",
        "SELECT n FROM t WHERE k = ? UNION SELECT 1",
        "SELECT DISTINCT n FROM t WHERE k = ?",
        "SELECT rowid FROM t WHERE k = ?",
        "SELECT *, n FROM t WHERE k = ?",
        "SELECT * FROM main.t WHERE k = ?",
        "SELECT wanted_key FROM t WHERE k = ?",
        "SELECT n FROM t WHERE k = ?; DELETE FROM t",
        "SELECT n -- x\nFROM t WHERE k = ?",
        "SELECT n FROM t WHERE k = :k",
        "DELETE FROM t WHERE k = ?",
        "SELECT n FROM t WHERE ? = k",
        "SELECT 'FROM x' FROM t WHERE k = ?",
        "",
        "SELECT",
        "SELECT n FROM t WHERE lower(k) = ?",
        "SELECT n FROM t WHERE k = ? ORDER BY random()",
        "SELECT * FROM t WHERE k = ? ORDER BY n DESC",
        "SELECT n, m FROM t WHERE k = ? ORDER BY t.m desc LIMIT 1",
        "SELECT n AS m FROM t WHERE k = ? ORDER BY m DESC",
        "INSERT INTO t VALUES (?)",
        "SELECT n FROM t WHERE k = ? ORDER BY n LIMIT 1 OFFSET 2",
        "SELECT n FROM t WHERE k IS ?",
    ],
)
def test_other_queries_are_left_alone(text: str) -> None:
    assert read_select(text) is None


def test_a_limit_of_one_is_told() -> None:
    found = read_select("select a from t where k=? order by a limit 1;")
    assert found is not None
    assert found.first
    assert "LIMIT" not in "".join(found.parts())
