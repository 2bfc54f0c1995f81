"""Opportunities that transformations answer: which, where, that the code does the same, and the plain no to others."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.live.generation.by_rules import draft_by_rules
from agents.live.generation.readers import readers_of
from agents.live.generation.service import ServiceCode, read_service
from core.drafts import ImprovementDraft, NeedsModel
from core.errors import ConfigError
from core.improvement import ImprovementOpportunity

DATABASE = '''"""The database."""

import sqlite3


class Database:
    def __init__(self, path: str) -> None:
        self.path = sqlite3.connect(path)
        self.heard: list[str] = []

    def rows(self, template, values=()):
        self.heard.append(template)
        found = self.path.execute(template, values).fetchall()
        return found

    def first(self, template, values=()):
        if not values:
            return None
        return self.path.execute(template, values).fetchall()
'''
ORDERS = '''"""Orders."""

from shop.database import Database

LINES = "SELECT product, pieces FROM lines WHERE order_id = ? ORDER BY product"


def orders_of(database: Database, wanted: list) -> list:
    told = []
    for number in wanted:
        lines = database.rows(LINES, (number,))
        told.append({"number": number, "pieces": sum(pieces for _, pieces in lines), "lines": lines})
    return told


def once(database: Database, number: int) -> list:
    return database.rows(LINES, (number,))
'''
RELATED = '''"""Related products."""

import time


def common(mine: list[int], theirs: list[int]) -> int:
    known = list(mine)
    count = 0
    for buyer in theirs:
        if buyer in known:
            count += 1
    return count


def related(mine: list[int], others: dict[int, list[int]]) -> list[int]:
    return [other for other, theirs in others.items() if common(mine, theirs)]


def weight(number: int) -> int:
    total = 0
    for step in range(number % 1000):
        total += step * step
    return total


def stamped(number: int) -> float:
    for step in range(number):
        time.sleep(0)
    return time.time()


class Shelf:
    def duplicates(self, names: list[str]) -> list[str]:
        seen = []
        out = []
        for name in names:
            if name in seen:
                out.append(name)
            seen.append(name)
        return out
'''
SERVICE = ServiceCode(
    {"shop/database.py": DATABASE, "shop/orders.py": ORDERS, "shop/related.py": RELATED, "tests/test_x.py": RELATED},
    ("shop/*.py",),
)


def opportunity(kind: Any, file: str = "", function: str = "", **more: Any) -> ImprovementOpportunity:
    return ImprovementOpportunity.make(
        kind=kind, component="shop", file=file, function=function, severity="high", confidence=0.9,
        performance_gain_percent=30, affected_users_per_hour=10, frequency_per_day=24, requirement="faster", **more,
    )  # fmt: skip


def run(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "changed"}
    exec(compile(text.replace("from shop.database import Database", "Database = object"), "x", "exec"), names)
    return names


def drafted(*told: Any, **more: Any) -> ImprovementDraft:
    made = draft_by_rules(opportunity(*told, **more), SERVICE)
    assert isinstance(made, ImprovementDraft), made
    return made


@pytest.mark.parametrize(
    ("kind", "file", "function", "done"),
    [
        ("slow_function", "shop/related.py", "common", "set_membership in common"),
        ("slow_function", "shop/related.py", "shop.related.related", "set_membership in common"),
        ("slow_function", "shop/related.py", "Shelf.duplicates", "ordered_unique in Shelf.duplicates"),
        ("trend", "shop/related.py", "duplicates", "ordered_unique in Shelf.duplicates"),
        ("cache", "", "shop.related.weight", "cache_pure in weight"),
        ("redundant_call", "shop/related.py", "weight", "cache_pure in weight"),
        ("n_plus_one", "shop/orders.py", "orders_of", "batched_query in orders_of"),
    ],
)
def test_the_transformation_is_made_where_the_evidence_points(kind: str, file: str, function: str, done: str) -> None:
    made = drafted(kind, file, function)
    assert made.transformations == (done,)
    assert made.source == "rules"
    (path,) = made.files
    assert path in SERVICE.changeable
    before, after = SERVICE.files[path].splitlines(), made.files[path].splitlines()
    assert before != after
    assert draft_by_rules(opportunity(kind, file, function), SERVICE) == made


def test_a_query_is_found_by_its_statement() -> None:
    statement = "SELECT product, pieces\n  FROM lines WHERE order_id = ? ORDER BY product;"
    text = ORDERS.replace("database.rows(LINES, (number,))\n        told", "database.rows(\n            "
                          '"SELECT product, pieces FROM lines WHERE order_id = ? ORDER BY product", (number,)\n'
                          "        )\n        told")  # fmt: skip
    service = ServiceCode({**SERVICE.files, "shop/orders.py": text}, ("shop/*.py",))
    made = draft_by_rules(opportunity("n_plus_one", subject=statement), service)
    assert isinstance(made, ImprovementDraft)
    assert made.transformations == ("batched_query in orders_of",)


@pytest.mark.parametrize(
    ("kind", "file", "function", "why"),
    [
        ("timeout", "shop/related.py", "weight", "no rule mends timeout"),
        ("error_pattern", "", "", "no rule mends error pattern"),
        ("cache", "shop/related.py", "stamped", "none of the transformations for cache fits"),
        ("n_plus_one", "shop/orders.py", "once", "none of the transformations for n_plus_one fits"),
        ("slow_function", "tests/test_x.py", "common", "no function of a file that may be changed"),
        ("slow_function", "shop/gone.py", "common", "no function of a file that may be changed"),
        ("slow_function", "shop/related.py", "nobody", "the evidence names nobody"),
        ("slow_function", "", "", "the evidence names nothing"),
    ],
)
def test_the_plain_no(kind: str, file: str, function: str, why: str) -> None:
    made = draft_by_rules(opportunity(kind, file, function), SERVICE)
    assert isinstance(made, NeedsModel)
    assert made.reason.startswith("needs a model: ")
    assert why in made.reason


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(1, 9)), max_size=20),
    st.lists(st.integers(-1, 8) | st.sampled_from(["1", "x", None, 2.0, 2.5]), max_size=12),
)
def test_one_query_gives_what_many_gave(stored: list[tuple[int, int, int]], wanted: list[Any]) -> None:
    made = drafted("n_plus_one", "shop/orders.py", "orders_of")
    database = run(DATABASE)["Database"](":memory:")
    database.path.execute("CREATE TABLE lines (order_id INTEGER, product INTEGER, pieces INTEGER)")
    database.path.executemany("INSERT INTO lines VALUES (?, ?, ?)", stored)
    expected = run(ORDERS)["orders_of"](database, wanted)
    assert len(database.heard) == len(wanted)
    database.heard.clear()
    assert run(made.files["shop/orders.py"])["orders_of"](database, wanted) == expected
    assert len(database.heard) == (1 if wanted else 0)
    database.path.close()


@pytest.mark.parametrize("order", ["", " ORDER BY product", " ORDER BY pieces DESC, product"])
@pytest.mark.parametrize("index", ["", "(order_id)", "(order_id, product)", "(product)", "(order_id, pieces, product)"])
def test_rows_come_in_the_order_of_their_own_query_for_more_keys_than_variables(index: str, order: str) -> None:
    text = ORDERS.replace(" ORDER BY product", order)
    made = draft_by_rules(
        opportunity("n_plus_one", "shop/orders.py", "orders_of"),
        ServiceCode({**SERVICE.files, "shop/orders.py": text}, ("shop/*.py",)),
    )
    assert isinstance(made, ImprovementDraft)
    database = run(DATABASE)["Database"](":memory:")
    database.path.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    database.path.execute("CREATE TABLE lines (order_id INTEGER, product INTEGER, pieces INTEGER)")
    if index:
        database.path.execute(f"CREATE INDEX own ON lines {index}")
    rng = random.Random(0)
    rows = [(rng.randrange(300), rng.randrange(5), rng.randrange(9)) for _ in range(1500)]
    database.path.executemany("INSERT INTO lines VALUES (?, ?, ?)", rows)
    wanted = [rng.randrange(310) for _ in range(1000)]
    expected = run(text)["orders_of"](database, wanted)
    database.heard.clear()
    assert run(made.files["shop/orders.py"])["orders_of"](database, wanted) == expected
    assert len(database.heard) == 2
    database.path.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=12), st.dictionaries(st.integers(0, 5), st.lists(st.integers(0, 9))))
def test_what_is_drafted_for_slow_functions_does_the_same(mine: list[int], others: dict[int, list[int]]) -> None:
    made = drafted("slow_function", "shop/related.py", "related")
    old, new = run(RELATED), run(made.files["shop/related.py"])
    assert new["related"](mine, others) == old["related"](mine, others)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-5, 2000), max_size=8))
def test_what_is_cached_is_what_was_computed(numbers: list[int]) -> None:
    text = drafted("cache", "shop/related.py", "weight").files["shop/related.py"]
    weight: Callable[[int], int] = run(text)["weight"]
    assert [weight(number) for number in numbers * 2] == [run(RELATED)["weight"](number) for number in numbers * 2]
    assert weight.cache_info().maxsize == 4096  # type: ignore[attr-defined]  # it is bounded


def test_a_method_that_only_reads_is_known_as_a_reader() -> None:
    assert {name: reader.owner for name, reader in readers_of(SERVICE.files).items()} == {"rows": "Database"}
    assert readers_of({**SERVICE.files, "a.py": "conn.row_factory = sqlite3.Row"}) == {}
    assert readers_of({**SERVICE.files, "b.py": DATABASE.replace("class Database", "class Other")}) == {}
    kept = DATABASE.replace("return found", "self.last = found\n        return found")
    assert readers_of({"shop/database.py": kept}) == {}
    assert readers_of({"a.py": "def broken(: fetchall"}) == {}


def test_a_row_factory_anywhere_refuses() -> None:
    files = {**SERVICE.files, "shop/app.py": "def start(conn):\n    conn.row_factory = dict\n"}
    made = draft_by_rules(opportunity("n_plus_one", "shop/orders.py", "orders_of"), ServiceCode(files, ("shop/*.py",)))
    assert isinstance(made, NeedsModel)


def test_the_code_of_a_service_is_read_and_told(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    (tmp_path / ".venv" / "lib" / "x.py").write_text("x = 1\n")
    (tmp_path / "shop" / "orders.py").write_text(ORDERS)
    (tmp_path / "shop" / "odd.py").write_bytes(b"\xff\xfe")
    service = read_service(tmp_path, ("shop/*.py",))
    assert service.changeable == ("shop/orders.py",)
    assert service.architecture() == "shop/orders.py: Orders.; uses shop.database; defines orders_of, once"
    with pytest.raises(ConfigError, match="no Python file"):
        read_service(tmp_path / "nothing", None)


def test_the_example_of_the_docs_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[3] / "docs" / "improvement-checks.md").read_text(encoding="utf-8")
    exec(text.partition("```python\n")[2].partition("```")[0], {"__name__": "docs"})
    assert capsys.readouterr().out == "rules ('set_membership in common',) ('annotations are true',)\n"
