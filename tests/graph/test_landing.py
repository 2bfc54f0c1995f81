"""Landing on files that have gone on: its algebra, on lines and on programs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DeliveryError
from graph.landing import Landing, land

LINES = st.lists(st.sampled_from(["a", "b", "c", "def f():", "    return 1", ""]), max_size=10)
TEXT = LINES.map(lambda lines: "".join(f"{line}\n" for line in lines))
FILES = st.dictionaries(st.sampled_from(["a.txt", "b.py", "c/d.txt"]), TEXT, max_size=3)
QUICK = settings(max_examples=150, deadline=None)


def changed_from(base: dict[str, str], after: dict[str, str]) -> dict[str, str | None]:
    return {path: after.get(path) for path in {*base, *after} if after.get(path) != base.get(path)}


def stored(files: dict[str, str]) -> dict[str, bytes | None]:
    return {path: text.encode() for path, text in files.items()}


def landed(there: dict[str, bytes | None], landing: Landing) -> dict[str, bytes]:
    return {path: data for path, data in {**there, **landing.files}.items() if data is not None}


@QUICK
@given(FILES, FILES)
def test_on_the_base_it_becomes_the_candidate(base: dict[str, str], after: dict[str, str]) -> None:
    landing = land(base, changed_from(base, after), stored(base), "here")
    assert landed(stored(base), landing) == stored(after)
    assert landing.merged == ()


@QUICK
@given(FILES, FILES)
def test_on_the_candidate_there_is_nothing_to_do(base: dict[str, str], after: dict[str, str]) -> None:
    assert land(base, changed_from(base, after), stored(after), "here").files == {}


@QUICK
@given(FILES, FILES, FILES)
def test_what_landed_once_lands_again_without_a_change(
    base: dict[str, str], after: dict[str, str], there: dict[str, str]
) -> None:
    changed = changed_from(base, after)
    try:
        first = land(base, changed, stored(there), "here")
    except DeliveryError:
        return
    again = dict(landed(stored(there), first))
    assert set(first.files) <= set(changed)
    try:
        second = land(base, changed, again, "here")
    except DeliveryError:
        assert first.merged  # a merge may bring two changes so close that they are no longer told apart
        return
    assert second.files == {}


@QUICK
@given(TEXT, TEXT)
def test_line_ends_of_the_place_are_kept(base: str, after: str) -> None:
    if "\n" not in base or "\n" not in after or base == after:
        return
    windows = {"a.txt": base.replace("\n", "\r\n")}, {"a.txt": after.replace("\n", "\r\n")}
    landing = land(windows[0], dict(windows[1]), {"a.txt": base.encode()}, "here")
    assert landing.files == {"a.txt": after.encode()}
    landing = land({"a.txt": base}, {"a.txt": after}, stored(windows[0]), "here")
    assert landing.files == stored(windows[1])


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ({}, "a.py (not there)"),
        ({"a.py": b"\xff\xfe"}, "a.py (no text any more)"),
        ({"a.py": b"x = 3\n"}, "a.py ("),
    ],
)
def test_conflicts_are_listed_each_once(there: dict[str, bytes | None], told: str) -> None:
    with pytest.raises(DeliveryError) as refused:
        land({"a.py": "x = 1\n"}, {"a.py": "x = 2\n"}, there, "commit abc")
    assert told in refused.value.what
    assert refused.value.what.count("a.py") == 1
    assert refused.value.where == "commit abc"
    assert "--diff" in refused.value.hint
