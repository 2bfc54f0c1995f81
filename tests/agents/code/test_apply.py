"""Applying changes: what is sure is applied, the rest is refused, and nothing outside the allowed paths is touched."""

from __future__ import annotations

import ast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agents.code.apply import Applied, apply_changes
from agents.code.changes import FileChange, Hunk, Limits
from agents.code.diff import unified_diff
from agents.code.edits import parse_changes
from agents.code.paths import allows, path_fault
from core.errors import PatchError
from tests.agents.code.programs import edited

SLOW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXTS = st.builds(
    lambda lines, end: "\n".join(lines) + end,
    st.lists(st.sampled_from(["a", "b", "", "--- a/x", "+++ b/x", "\x0c", "d\u2028e", "```"]), max_size=12),
    st.sampled_from(["", "\n"]),
)


def edit(before: str, after: str, path: str = "m.py", **more: str) -> FileChange:
    return FileChange(path, "edit", "blocks", (Hunk(tuple(before.split("\n")), tuple(after.split("\n")), **more),))  # type: ignore[arg-type]


def block(path: str, before: str, after: str) -> str:
    return f"{path}\n<<<<<<< SEARCH\n{before}\n=======\n{after}\n>>>>>>> REPLACE\n"


@given(TEXTS, TEXTS)
@example("a\na\na\na\na\na\na\na\na\n", "a\na\na\na\na\na\na\na\na\na\n")
@SLOW
def test_our_own_diff_applies_however_ambiguous_its_lines(before: str, after: str) -> None:
    if before == after:
        return
    diff = unified_diff({"a.txt": before}, {"a.txt": after})
    applied = apply_changes({"a.txt": before}, parse_changes(diff))
    assert applied.rejected == ()
    assert applied.over({"a.txt": before}) == {"a.txt": after}


@given(edited(1))
@SLOW
def test_an_edit_of_a_program_is_applied_rightly_or_refused(texts: tuple[str, str]) -> None:
    """As blocks that quote one changed stretch each, from a diff without its numbers."""
    before, after = texts
    bare = unified_diff({"m.py": before}, {"m.py": after}).split("index ")
    if len(bare) < 2:
        return
    diff = bare[0] + bare[1].split("\n", 1)[1]
    applied = apply_changes({"m.py": before}, parse_changes(diff))
    if applied.rejected:
        assert all("places" in each.reason for each in applied.rejected)
        assert applied.files == {}
    else:
        assert applied.over({"m.py": before}) == {"m.py": after}


@given(edited(2), st.booleans())
@SLOW
def test_an_edit_of_another_version_leaves_a_program(texts: tuple[str, str, str], partial: bool) -> None:
    base, mine, theirs = texts
    diff = unified_diff({"m.py": base}, {"m.py": mine})
    if not diff:
        return
    applied = apply_changes({"m.py": theirs}, parse_changes(diff), partial=partial)
    ast.parse(applied.over({"m.py": theirs})["m.py"])
    if applied.rejected and not partial:
        assert applied == Applied({}, (), (), applied.rejected, ())
        assert applied.noop


TWINS = "".join(f"def f{n}():\n    a = 1\n    b = 2\n    c = 3\n    d = 4\n    return a\n\n\n" for n in range(4))


def test_the_number_of_a_line_counts_for_the_file_that_a_diff_was_made_from() -> None:
    first, second, third, last = TWINS.split("d = 4", 3)
    after = f"{first}d = 4{second}d = 4{third}d = 9{last}"
    diff = unified_diff({"m.py": TWINS}, {"m.py": after})
    assert apply_changes({"m.py": TWINS}, parse_changes(diff)).files == {"m.py": after}
    grown = TWINS[: len(TWINS) // 4].replace("f0", "f9") + TWINS
    refused = apply_changes({"m.py": grown}, parse_changes(diff))
    assert "fits at 5 places" in refused.rejected[0].reason


def test_hunks_that_fit_are_kept_on_demand() -> None:
    files = {"m.py": "one = 1\ntwo = 2\n", "n.py": "three = 3\n"}
    answer = (
        block("m.py", "one = 1", "one = 10")
        + block("m.py", "gone_away = 1", "x = 2")
        + block("n.py", "three = 3", "3 +")
    )
    whole, part = (apply_changes(files, parse_changes(answer), partial=partial) for partial in (False, True))
    assert whole.files == {}
    assert part.files == {"m.py": "one = 10\ntwo = 2\n"}
    assert [(each.path, each.hunk) for each in whole.rejected] == [("m.py", 1), ("n.py", None)]
    assert whole.rejected == part.rejected
    assert whole.noop
    assert not part.noop


def test_a_renamed_file_that_would_not_parse_stays_where_it_was() -> None:
    change = FileChange("new.py", "rename", "diff", (Hunk(("x = 1",), ("x = (",)),), source="old.py")
    applied = apply_changes({"old.py": "x = 1\n"}, [change], partial=True)
    assert (applied.files, applied.deleted) == ({}, ())
    assert "would not parse" in applied.rejected[0].reason


FUNCTION = "def f(x):\n    # why\n    total = start(x)\n    return total\n"


def test_a_definition_whose_code_differs_is_replaced_only_on_demand() -> None:
    change = edit("def f(x):\n    return begin(x) * 2 - 1", "def f(x):\n    return 5")
    refused = apply_changes({"m.py": FUNCTION}, [change])
    assert "has code in it that the quote does not show: 'total = start(x)'" in refused.rejected[0].reason
    replaced = apply_changes({"m.py": FUNCTION}, [change], overwrite=True)
    assert replaced.files == {"m.py": "def f(x):\n    return 5\n"}
    assert [each.how for each in replaced.placed] == ["anchored"]


def test_a_name_that_is_defined_twice_is_no_anchor() -> None:
    code = "".join(f"class {name}:\n    def f(self):\n        return compute({name})\n\n\n" for name in "AB")
    change = edit("def f(self):\n    ...", "def f(self):\n    return 3")
    assert "defines f 2 times" in apply_changes({"m.py": code}, [change]).rejected[0].reason
    named = edit("class B:\n    def f(self):\n        ...", "class B:\n    def f(self):\n        return 3")
    assert apply_changes({"m.py": code}, [named]).files == {"m.py": code.replace("compute(B)", "3")}


def test_a_hunk_that_quotes_nothing_has_no_place() -> None:
    diff = "--- a/m.py\n+++ b/m.py\n@@ -1,0 +2,1 @@\n+y = 2\n"
    assert "quotes no line" in apply_changes({"m.py": "x = 1\n"}, parse_changes(diff)).rejected[0].reason
    assert apply_changes({"m.py": ""}, parse_changes(diff)).files == {"m.py": "y = 2\n"}


def test_a_mark_of_byte_order_and_mixed_ends_of_lines_stay() -> None:
    applied = apply_changes({"m.py": "\ufeffx = 1\ny = 2\r\nz = 3\n"}, [edit("x = 1\ny = 2", "x = 5\ny = 2")])
    assert applied.files == {"m.py": "\ufeffx = 5\ny = 2\r\nz = 3\n"}


@pytest.mark.parametrize(
    ("action", "path", "reason"),
    [
        ("create", "m.py", "exists already"),
        ("delete", "none.py", "no such file"),
        ("edit", "none.py", "no such file"),
        ("create", "m.py/inner.py", "both a file and a folder"),
        ("create", "pkg", "both a file and a folder"),
        ("write", "../m.py", "out of the folder"),
        ("write", "a/../m.py", "out of the folder"),
        ("write", "/m.py", "relative"),
        ("write", "C:/m.py", "relative"),
        ("write", "a\\m.py", "relative"),
        ("write", ".git/hooks/x", "git's own"),
        ("write", "a/.GIT/x", "git's own"),
        ("write", ".git . /x", "git's own"),
        ("write", "a\0b", "control character"),
        ("write", "a\x85b", "control character"),
        ("write", "a//b", "normal form"),
        ("write", "./b", "normal form"),
        ("write", "b ", "normal form"),
        ("write", "x" * 301, "301 characters"),
    ],
)
def test_a_path_that_does_not_do_is_refused(action: str, path: str, reason: str) -> None:
    change = FileChange(path, action, "whole", text="y = 1\n")  # type: ignore[arg-type]
    applied = apply_changes({"m.py": "x = 1\n", "pkg/n.py": ""}, [change])
    assert reason in applied.rejected[0].reason
    assert applied.files == {}


@pytest.mark.parametrize(
    ("globs", "path", "may"),
    [
        (["src/**"], "src/a/b.py", True),
        (["src/**"], "src", True),
        (["src/**/*.py"], "src/b.py", True),
        (["src/**/*.py"], "src/a/c/b.py", True),
        (["src/*.py"], "src/a/b.py", False),
        (["*.py"], "src/b.py", False),
        (["**/*.py"], "b.py", True),
        (["**/test_*.py", "lib/?.py"], "lib/ab.py", False),
        (["**", "!tests/**"], "tests/a.py", False),
        (["**", "!tests/**"], "a.py", True),
        (["!tests/**"], "a.py", False),
        ("src/[ab].py", "src/a.py", True),
        ([], "a.py", False),
    ],
)
def test_globs_go_segment_by_segment(globs: list[str] | str, path: str, may: bool) -> None:
    assert allows(globs, path) is may
    assert path_fault(path) == ""


def test_a_predicate_decides_as_well() -> None:
    changes = parse_changes("a.py\n```\nx = 1\n```\nb.py\n```\nx = 1\n```\n")
    applied = apply_changes({}, changes, lambda path: path == "a.py", partial=True)
    assert list(applied.files) == ["a.py"]
    assert [each.reason for each in applied.rejected] == ["this file may not be changed"]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(answer=20), "characters, more than 20"),
        (Limits(files=2), "changes 3 files, more than 2"),
        (Limits(file=3), "characters for one file, more than 3"),
    ],
)
def test_a_flood_is_refused(limits: Limits, message: str) -> None:
    answer = "".join(f"{name}.py\n```\nx = 1\n```\n" for name in "abc")
    assert len(parse_changes(answer)) == 3
    with pytest.raises(PatchError, match=message):
        parse_changes(answer, limits)


def test_a_flood_of_hunks_is_refused() -> None:
    answer = "".join(block("a.py", f"x = {n}", "y") for n in range(201))
    with pytest.raises(PatchError, match="201 places"):
        parse_changes(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "a.py\n```\n" * 50_000,
        "<<<<<<< SEARCH\n" * 50_000,
        "a.py\n<<<<<<< SEARCH\n" + "=======\n" * 100_000 + ">>>>>>> REPLACE\n",
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n" * 30_000,
        "```" + " " * 500_000 + "x`\n",
        "# " * 300_000 + "\n```\n",
        "--- a/x" + " " * 500_000 + "\n+++ b/x\n",
        "-" * 1_000_000,
    ],
    ids=range(8),
)
def test_a_nasty_flood_is_refused_soon(answer: str) -> None:
    with pytest.raises(PatchError):
        parse_changes(answer)


def test_a_search_for_something_similar_is_bounded() -> None:
    """Long lines that are all alike; without a bound this takes minutes."""
    lines = ["x" * 3000 + str(number) for number in range(300)]
    answer = block("m.txt", "\n".join(f"{line}y" for line in lines[:200]) + "\n" + lines[200], "x")
    applied = apply_changes({"m.txt": "\n".join(lines)}, parse_changes(answer))
    assert applied.noop
    refused = apply_changes({"m.txt": "a\n"}, [edit("some words that are not there", "x", "m.txt")] * 60)
    assert len(refused.rejected) == 20


@given(st.text(alphabet=st.sampled_from("<>=+-@ \n`a/.py:SEARCHREPLACE\\\t"), max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_by_one_error(text: str) -> None:
    try:
        changes = parse_changes(text)
    except PatchError as error:
        assert str(error)  # noqa: PT017
    else:
        assert changes
        applied = apply_changes({"a.py": "x = 1\n"}, changes)
        assert all(path_fault(path) == "" for path in applied.files)


@pytest.mark.parametrize(
    "code", ["(" * 5000, "x = " + "-" * 100_000 + "1", "+".join("a" * 100_000), "x = '\0'", "x = '\ud800'"]
)
def test_code_that_breaks_the_parser_is_refused(code: str) -> None:
    applied = apply_changes({"m.py": "x = 1\n"}, [FileChange("m.py", "write", "whole", text=f"{code}\n")])
    assert "would not parse" in applied.rejected[0].reason
