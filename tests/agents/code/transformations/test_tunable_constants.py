"""Marked constants: what a marker says, setting values, the structure without them, and the space they span."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.code.transformations.constants import (
    find_constants,
    mark_constant,
    set_constants,
    space,
    structure,
    suggest_constants,
)
from agents.code.transformations.markers import Marker, parse_marker, write_marker
from core.errors import ConfigError, NotFoundError
from search.space import Space

FILES = {
    "a.py": (
        "CHUNK = 64  # tunable: 8..4096 log\n"
        "RATE: float = -0.5  # tunable: -1.0..1.0\n"
        "MODE = 'fast'  # tunable: choice 'fast', \"small\", None, 3\n"
        "plain = 3  # a comment that says tunable in passing\n"
    ),
    "b.py": (
        "class Reader:\n    size = 0x10  # tunable: 1..100 int\n\n\n"
        "def f():\n    step = 2  # tunable: 1..9\n    return step\n"
    ),
    "notes.md": "X = 1  # tunable: 1..2\n",
}


def test_constants_are_found_with_what_their_markers_say():
    found = {each.name: each for each in find_constants(FILES)}
    assert list(found) == ["CHUNK", "RATE", "MODE", "Reader.size", "f.step"]
    chunk, rate, mode, size = (found[name] for name in ("CHUNK", "RATE", "MODE", "Reader.size"))
    assert (chunk.path, chunk.line, chunk.value, chunk.kind, chunk.low, chunk.high) == ("a.py", 1, 64, "int", 8, 4096)
    assert chunk.log
    assert (rate.value, rate.kind, rate.low, rate.high, rate.log) == (-0.5, "float", -1.0, 1.0, False)
    assert (mode.kind, mode.options, mode.low) == ("choice", ("fast", "small", None, 3), None)
    assert (size.value, size.path, size.line) == (16, "b.py", 2)


def test_setting_changes_the_literals_and_nothing_else():
    after = set_constants(FILES, {"CHUNK": 100, "RATE": 0.25, "MODE": None, "Reader.size": 5})
    assert after["a.py"] == FILES["a.py"].replace("64", "100").replace("-0.5", "0.25").replace("'fast'  #", "None  #")
    assert after["b.py"] == FILES["b.py"].replace("0x10", "5")
    assert after["notes.md"] == FILES["notes.md"]
    assert set_constants(FILES, {each.name: each.value for each in find_constants(FILES)}) == FILES


def test_structure_forgets_values_and_only_them():
    after = set_constants(FILES, {"CHUNK": 100, "MODE": "small"})
    assert structure(after) == structure(FILES)
    assert structure({**FILES, "a.py": FILES["a.py"].replace("4096", "8192")}) != structure(FILES)
    assert structure({**FILES, "a.py": FILES["a.py"] + "x = 1\n"}) != structure(FILES)
    assert re.fullmatch("[0-9a-f]{64}", structure(FILES))


def test_the_space_is_one_the_search_reads():
    constants = find_constants(FILES)
    found = Space.model_validate(space(constants))
    values = {each.name: each.value for each in constants}
    assert list(found.names) == list(values)
    for name, value in values.items():
        assert found[name].canonical(value, name) == value
    assert space(constants)["CHUNK"] == {"type": "int", "low": 8, "high": 4096, "log": True}
    assert space(constants)["MODE"] == {"type": "choice", "options": ["fast", "small", None, 3]}


@given(st.integers(8, 4096), st.floats(-1, 1), st.sampled_from(["fast", "small", None, 3]))
def test_what_is_set_is_found(chunk: int, rate: float, mode: Any):
    values = {"CHUNK": chunk, "RATE": rate, "MODE": mode}
    after = set_constants(FILES, values)
    assert {each.name: each.value for each in find_constants(after) if each.name in values} == values
    assert structure(after) == structure(FILES)
    assert set_constants(after, {each.name: each.value for each in find_constants(FILES)}) == {
        **FILES,
        "b.py": FILES["b.py"],
    }


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("X = 1  # tunable:", "says nothing"),
        ("X = 1  # tunable: 8..", "neither a range nor a choice"),
        ("X = 1  # tunable: 1 to 9", "neither a range nor a choice"),
        ("X = 1  # tunable 1..9 logarithmic", "says nothing"),
        ("X = 1  # tunable: 1..9 logarithmic", "'logarithmic' means nothing"),
        ("X = 1  # tunable: 1..9 int float", "either int or float"),
        ("X = 1.5  # tunable: 1..9 int", "has a point"),
        ("X = 1  # tunable: 9..1", "low must not be above high"),
        ("X = 1  # tunable: 0..9 log", "log scale needs low >= 1"),
        ("X = 20  # tunable: 1..9", "20 is outside"),
        ("X = 1  # tunable: choice", "no list of options"),
        ("X = 1  # tunable: choice fast, small", "no list of options"),
        ("X = 1  # tunable: choice 2, 3", "1 is not one of"),
        ("X = 1  # tunable: choice 1, 1", "listed twice"),
        ("X = f(1)  # tunable: 1..9", "stands behind no NAME = literal"),
        ("# tunable: 1..9", "stands behind no NAME = literal"),
        ("X = Y = 1  # tunable: 1..9", "stands behind no NAME = literal"),
        ("X[0] = 1  # tunable: 1..9", "stands behind no NAME = literal"),
    ],
)
def test_a_malformed_marker_is_one_clear_error(line: str, what: str):
    with pytest.raises(ConfigError, match=re.escape(what)) as error:
        find_constants({"a.py": f"import os\n\n{line}\n"})
    assert error.value.where == "a.py, line 3"
    assert error.value.hint


def test_values_out_of_range_and_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="CHUNK = 5 is not allowed"):
        set_constants(FILES, {"CHUNK": 5})
    with pytest.raises(ConfigError, match="MODE = 'slow' is not allowed"):
        set_constants(FILES, {"MODE": "slow"})
    with pytest.raises(NotFoundError, match="'CHUNKS'") as error:
        set_constants(FILES, {"CHUNKS": 64})
    assert "CHUNK" in error.value.hint


def test_a_name_of_two_files_is_told_apart_by_its_path_and_twice_in_one_is_refused():
    line = "SIZE = 4  # tunable: 1..9\n"
    names = [each.name for each in find_constants({"a.py": line, "b/c.py": line})]
    assert names == ["a.py:SIZE", "b/c.py:SIZE"]
    assert set_constants({"a.py": line, "b/c.py": line}, {"b/c.py:SIZE": 5})["a.py"] == line
    with pytest.raises(ConfigError, match="SIZE is marked twice"):
        find_constants({"a.py": line + line})


@given(
    st.one_of(
        st.tuples(st.integers(1, 10**6), st.integers(0, 10**6), st.booleans()).map(
            lambda drawn: Marker("int", drawn[0], drawn[0] + drawn[1], drawn[2], ())
        ),
        st.lists(st.none() | st.integers() | st.booleans() | st.text(), min_size=1, max_size=4).map(
            lambda options: Marker("choice", None, None, False, tuple(options))
        ),
    )
)
def test_a_written_marker_is_read_back(marker: Marker):
    assert parse_marker(write_marker(marker), 1, "here") == marker


def test_suggested_constants_can_be_marked():
    text = "LIMIT = 64\nRATE = 0.5\nNAME = 'x'\n_BIG = 10  # note\nlower = 3\nDEBUG = True\nTWICE = 1\nTWICE = 2\n"
    files = {"a.py": text, "b.py": "def f(:\n"}
    suggested = suggest_constants(files)
    assert [(each.name, each.kind, each.low, each.high) for each in suggested] == [
        ("LIMIT", "int", 8, 512),
        ("RATE", "float", 0.0625, 4.0),
        ("_BIG", "int", 1, 80),
    ]
    marked = mark_constant(files, suggested[0])
    assert marked["a.py"].startswith("LIMIT = 64  # tunable: 8..512 log int\n")
    (found,) = find_constants(marked)
    assert found == suggested[0]
    assert [each.name for each in suggest_constants(marked)] == ["RATE", "_BIG"]
    with pytest.raises(ConfigError, match="something else follows"):
        mark_constant(files, suggested[2])
