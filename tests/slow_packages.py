"""A small package with tests and a benchmark, for campaigns on code: slow in ways that transformations mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["BENCHMARK", "STOCK", "write_campaign", "write_package"]

STOCK = '''\
"""Stock of a shop."""

import re


def unique(names):
    """The names, each once, in their order."""
    seen = []
    result = []
    for name in names:
        if name not in seen:
            seen.append(name)
            result.append(name)
    return result


def words(lines):
    """All words in lower case."""
    found = []
    for line in lines:
        for word in re.findall("[a-z]+", line.lower()):
            found.append(word)
    return found
'''

TESTS = """\
import pytest

from shop.stock import unique, words


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b", "a"], ["b", "a", "b", "c"]])
def test_unique(names):
    assert unique(names) == list(dict.fromkeys(names))


def test_words():
    assert words(["One two", "", "THREE!"]) == ["one", "two", "three"]
"""

BENCHMARK = """\
import argparse
import hashlib
import json
import random
from time import process_time

from shop.stock import unique, words

arguments = argparse.ArgumentParser()
arguments.add_argument("--seed", type=int, default=0)
rng = random.Random(arguments.parse_args().seed)
names = [f"name {rng.randrange(900)}" for _ in range(6000)]
lines = [f"Line {rng.randrange(99)} OF {rng.randrange(99)}" for _ in range(2000)]
start = process_time()
result = [unique(names), words(lines)]
seconds = process_time() - start
print(json.dumps({"seconds": seconds, "check": hashlib.sha256(repr(result).encode()).hexdigest()}))
"""


def write_package(folder: Path) -> Path:
    """The package in `folder`, with `tests/` and `benchmark/` beside it."""
    for path, text in {
        "shop/__init__.py": "",
        "shop/stock.py": STOCK,
        "tests/test_stock.py": TESTS,
        "benchmark/bench.py": BENCHMARK,
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def write_campaign(folder: Path, **changes: Any) -> Path:
    """The package with a campaign over it; the answer is the campaign's file."""
    write_package(folder)
    definition: dict[str, Any] = {
        "schema": 1,
        "name": "shop",
        "kind": "code",
        "code": {
            "files": ["shop/**/*.py"],
            "tests": ["{python}", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
            "benchmark": ["{python}", "benchmark/bench.py"],
            "judge": ["tests", "benchmark"],
            "pairs": 8,
        },
        "environment": {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        "budget": {"cycles": 2},
        "noise": {"repeats": 1, "verdict_pairs": 0, "confirmations": 0},
        "council": {"jobs_per_cycle": 1},
        **changes,
    }
    path = folder / "campaign.yaml"
    path.write_text(json.dumps(definition, indent=1))  # JSON is YAML
    return path
