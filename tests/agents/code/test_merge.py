"""Three-way merge: its algebra on programs and on any lines, and what becomes of conflicts."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.code.merge import Prefer, merge
from agents.code.three_way import three_way
from tests.agents.code.programs import edited

SLOW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LINES = st.lists(st.sampled_from("abcdef"), max_size=12)
FILES = st.dictionaries(
    st.sampled_from(["a.txt", "b.txt", "c.py"]),
    LINES.map(lambda lines: "".join(f"{line}\n" for line in lines)),
    max_size=3,
)


@given(LINES, LINES, LINES)
def test_chunks_make_up_each_side(base: list[str], a: list[str], b: list[str]) -> None:
    chunks = three_way(base, a, b)
    assert [each for chunk in chunks for each in chunk.base] == base
    assert [each for chunk in chunks for each in chunk.a] == a
    assert [each for chunk in chunks for each in chunk.b] == b
    mirrored = three_way(base, b, a)
    assert [(c.kind, c.a, c.b) for c in chunks if c.kind in ("same", "conflict")] == [
        (c.kind, c.b, c.a) for c in mirrored if c.kind in ("same", "conflict")
    ]


@given(FILES, FILES, FILES)
@SLOW
def test_what_one_side_changed_is_taken(base: dict[str, str], a: dict[str, str], b: dict[str, str]) -> None:
    assert merge(base, a, base).files == a
    assert merge(base, base, a).files == a
    assert merge(base, a, a).files == a
    there, back = merge(base, a, b), merge(base, b, a)
    assert (not there.conflicts) == (not back.conflicts)
    if not there.conflicts:
        assert there.files == back.files


@given(edited(2), st.sampled_from(["a", "b", "neither"]))
@SLOW
def test_a_merge_of_programs_parses(texts: tuple[str, str, str], prefer: Prefer) -> None:
    base, a, b = ({"m.py": text} for text in texts)
    assert merge(base, a, base).files == a
    assert merge(base, a, a).files == a
    there, back = merge(base, a, b, prefer=prefer), merge(base, b, a, prefer=prefer)
    ast.parse(there.files["m.py"])
    assert (not there.conflicts) == (not back.conflicts)
    if not there.conflicts:
        assert there.files == back.files


BASE = textwrap.dedent("""\
    from math import cos, sin


    LIMIT = 1


    class Shape:
        sides = 0

        def area(self):
            return 0

        def name(self):
            return "shape"


    def run(x):
        return x
    """)


def test_conflicting_lines_are_united_by_definitions() -> None:
    a = BASE.replace("cos, sin", "cos, sin, tan").replace(
        "    def name", "    def edge(self):\n        return 1\n\n    def name"
    )
    a = a.replace("\n\ndef run", "\n\ndef first(x):\n    return 1\n\n\ndef run")
    b = BASE.replace("cos, sin", "atan, sin").replace(
        "    def name", "    def corner(self):\n        return 2\n\n    def name"
    )
    b = b.replace("\n\ndef run", "\n\ndef second(x):\n    return 2\n\n\ndef run")
    merged = merge({"m.py": BASE}, {"m.py": a}, {"m.py": b})
    assert merged.conflicts == ()
    text = merged.files["m.py"]
    assert "from math import sin, atan, tan\n" in text
    names = [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert sorted(names) == sorted(["Shape", "area", "edge", "corner", "name", "first", "second", "run"])
    assert {each.where for each in merged.taken_from_a} == {"imports from math", "Shape.edge", "first"}
    assert {each.where for each in merged.taken_from_b} == {"imports from math", "Shape.corner", "second"}


@pytest.mark.parametrize(("prefer", "value"), [("a", 2), ("b", 3), ("neither", 1)])
def test_a_conflict_goes_to_the_preferred_side(prefer: Prefer, value: int) -> None:
    a = BASE.replace("LIMIT = 1", "LIMIT = 2").replace('"shape"', '"a"')
    b = BASE.replace("LIMIT = 1", "LIMIT = 3").replace("return x", "return x + 1")
    merged = merge({"m.py": BASE}, {"m.py": a}, {"m.py": b}, prefer=prefer)
    text = merged.files["m.py"]
    assert f"LIMIT = {value}\n" in text
    assert '"a"' in text
    assert "x + 1" in text
    assert [(each.where, each.base, each.a, each.b) for each in merged.conflicts] == [
        ("LIMIT", "\n\nLIMIT = 1\n", "\n\nLIMIT = 2\n", "\n\nLIMIT = 3\n")
    ]


@pytest.mark.parametrize(("prefer", "kept"), [("a", None), ("b", "x = 2\n"), ("neither", "x = 1\n")])
def test_a_file_that_one_side_deleted_and_the_other_changed(prefer: Prefer, kept: str | None) -> None:
    merged = merge({"m.py": "x = 1\n"}, {}, {"m.py": "x = 2\n"}, prefer=prefer)
    assert merged.files.get("m.py") == kept
    assert [each.where for each in merged.conflicts] == ["the whole file"]


def test_a_clean_merge_that_defines_a_name_twice_is_none() -> None:
    base = "import os\n\n\ndef a():\n    return 1\n\n\ndef b():\n    return 2\n"
    new = "def helper():\n    return {}\n\n\n"
    a = {"m.py": base.replace("def a", new.format(1) + "def a")}
    b = {"m.py": base.replace("def b", new.format(2) + "def b")}
    merged = merge({"m.py": base}, a, b, prefer="b")
    assert merged.files["m.py"].count("def helper") == 1
    assert [each.where for each in merged.conflicts] == ["helper"]


def test_both_sides_may_add_a_file() -> None:
    merged = merge({}, {"m.py": "def f():\n    return 1\n"}, {"m.py": "def g():\n    return 2\n"})
    assert merged.conflicts == ()
    assert merged.files["m.py"] == "def f():\n    return 1\n\n\ndef g():\n    return 2\n"
