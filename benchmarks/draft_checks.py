"""What it costs to check a draft, and what one query for all keys saves.

    python benchmarks/draft_checks.py [--runs 5] [--service FOLDER --file shop/quotes.py --tests tests]

Without `--service` a service of four modules and twelve tests is written.  The draft adds a comment to one file, so
every check has its work and nothing fails.  Times of the wall are those of each check; types, security and tests run
side by side.  Processor time is of everything that was started.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from agents.live.generation.by_rules import draft_by_rules
from agents.live.generation.service import ServiceCode
from core.drafts import CheckSettings, ImprovementDraft
from core.improvement import ImprovementOpportunity
from runtime.checks.validating import validate

KEYS = (10, 100, 1000)
ORDERS = """import sqlite3


def lines_of(conn: sqlite3.Connection, numbers: list[int]) -> list[object]:
    told = []
    for number in numbers:
        told.append(conn.execute("SELECT product, pieces FROM lines WHERE order_id = ?", (number,)).fetchall())
    return told
"""
MODULE = '''"""Module {n} of a shop."""

from __future__ import annotations

import json


def price(name: str, pieces: int = 1) -> int:
    """Cents."""
    total = 0
    for letter in name:
        if letter.isdigit():
            total += int(letter)
        else:
            total += ord(letter)
    return total * pieces


def told(names: list[str]) -> str:
    return json.dumps({{name: price(name) for name in names}})
'''
TESTS = """from shop.m{n} import price, told


def test_price():
    assert price("a1") == 98


def test_pieces():
    assert price("a", 2) == 194


def test_told():
    assert told(["a"]) == '{{"a": 97}}'
"""


def processor_s() -> float:
    return sum(sum(resource.getrusage(whose)[:2]) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def write_service(root: Path) -> None:
    for folder in ("shop", "tests"):
        (root / folder).mkdir()
    (root / "shop" / "__init__.py").write_text("")
    for n in range(4):
        (root / "shop" / f"m{n}.py").write_text(MODULE.format(n=n))
        (root / "tests" / f"test_m{n}.py").write_text(TESTS.format(n=n))


def check(root: Path, file: str, tests: str, runs: int, cache: str, plugins: bool) -> None:
    text = (root / file).read_text() + "# the same\n"
    draft = ImprovementDraft.make("o", {file: text}, "rules", "a benchmark")
    command = (sys.executable, "-m", "pytest", "-q", tests)
    environment = {} if plugins else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(runs):
        used = processor_s()
        found = validate(draft, root, command, lambda _: True, CheckSettings(cache=cache, environment=environment))
        seconds["processors"].append(processor_s() - used)
        seconds["all"].append(found.seconds)
        for one in found.checks:
            seconds[one.name].append(one.seconds)
        if not found.ok:
            print("   ", *found.errors, sep="\n    ")
    print(", ".join(f"{name} {statistics.median(times):.2f}" for name, times in seconds.items()))


def batch() -> None:
    service = ServiceCode({"orders.py": ORDERS}, None)
    told = ImprovementOpportunity.make(
        kind="n_plus_one", component="shop", file="orders.py", function="lines_of", severity="high", confidence=0.9,
        performance_gain_percent=50, affected_users_per_hour=1, frequency_per_day=24, requirement="ask once",
    )  # fmt: skip
    draft = draft_by_rules(told, service)
    assert isinstance(draft, ImprovementDraft)
    names: list[dict[str, object]] = [{}, {}]
    for space, text in zip(names, (ORDERS, draft.files["orders.py"]), strict=True):
        exec(text, space)
    with tempfile.TemporaryDirectory() as folder:
        conn = sqlite3.connect(Path(folder) / "shop.db")
        conn.execute("CREATE TABLE lines (order_id INTEGER, product INTEGER, pieces INTEGER)")
        conn.execute("CREATE INDEX lines_of ON lines (order_id)")
        conn.executemany("INSERT INTO lines VALUES (?, ?, ?)", [(i % 5000, i, 1) for i in range(20_000)])
        conn.commit()
        for count in KEYS:
            numbers = list(range(count))
            took = []
            for space in names:
                times = []
                for _ in range(15):
                    began = time.perf_counter()
                    space["lines_of"](conn, numbers)  # type: ignore[operator]
                    times.append(time.perf_counter() - began)
                took.append(1000 * statistics.median(times))
            print(f"{count} keys: a query each {took[0]:.2f} ms, one query {took[1]:.2f} ms, x {took[0] / took[1]:.1f}")
        conn.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--service", type=Path)
    parser.add_argument("--file", default="shop/m0.py")
    parser.add_argument("--tests", default="tests")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = asked.service or Path(name) / "service"
        if asked.service is None:
            root.mkdir()
            write_service(root)
        for label, cache, plugins in (
            ("mypy without a cache, pytest's plugins", "", True),
            ("mypy with a cache, pytest's plugins", f"{name}/cache", True),
            ("mypy with a cache, no plugins", f"{name}/cache", False),
        ):
            print(f"{label}, seconds, median of {asked.runs}:")
            check(root, asked.file, asked.tests, asked.runs, cache, plugins)
    batch()


if __name__ == "__main__":
    main()
