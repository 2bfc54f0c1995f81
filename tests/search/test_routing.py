from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.routing import COMPLEX, LONG, PATIENCE, TaskMeasures, route

SIMPLE = TaskMeasures(files=1, lines=LONG, hardest=COMPLEX - 1, cheap_failures=PATIENCE - 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"files": 2}, "2 files"),
        ({"lines": LONG + 1}, "lines"),
        ({"hardest": COMPLEX}, "complexity"),
        ({"cheap_failures": PATIENCE}, "brought nothing"),
    ],
)
def test_each_line_of_the_rule_alone_is_enough(change: dict[str, int], reason: str) -> None:
    assert route(SIMPLE).path == "cheap"
    taken = route(replace(SIMPLE, **change))
    assert taken.path == "full"
    assert reason in taken.reason


@given(*[st.integers(0, 200)] * 4, st.sampled_from(["files", "lines", "hardest", "cheap_failures"]))
def test_a_harder_task_never_takes_a_cheaper_path(f: int, n: int, c: int, t: int, more: str) -> None:
    task = TaskMeasures(f, n, c, t)
    harder = replace(task, **{more: getattr(task, more) + 1})
    assert (route(task).path, route(harder).path) != ("full", "cheap")
