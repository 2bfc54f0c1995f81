"""The diff and its strict inverse, for any texts; and git's own opinion of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.code.diff import apply_exactly, unified_diff
from core.errors import PatchError

LINES = st.sampled_from(
    [
        "a",
        "b",
        "",
        " ",
        "\t",
        "--- a/x",
        "+++ b/x",
        "@@ -1,1 +1,1 @@",
        "\\ No newline",
        "-- ",
        "c\r",
        "\x0c",
        "d\u2028e",
        "é\x85",
    ]
)
TEXTS = st.one_of(
    st.builds(lambda lines, end: "\n".join(lines) + end, st.lists(LINES, max_size=30), st.sampled_from(["", "\n"])),
    st.text(max_size=40),
)
PATHS = st.sampled_from(["a.py", "b/c.txt", "with blank.py", 'quo"te.md', "b/é.py", "-dash"])
FILES = st.dictionaries(PATHS, TEXTS, max_size=4)


@given(FILES, FILES)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_inverse_gives_back_every_text(before: dict[str, str], after: dict[str, str]) -> None:
    diff = unified_diff(before, after)
    assert apply_exactly(before, diff) == after
    assert (diff == "") == (before == after)


@given(TEXTS, st.lists(st.tuples(st.integers(0, 40), LINES), max_size=4))
@settings(max_examples=300, deadline=None)
def test_small_edits_of_a_text_come_back(text: str, edits: list[tuple[int, str]]) -> None:
    lines = text.split("\n")
    for at, line in edits:
        lines[at % len(lines) : at % len(lines) + 1] = [line, line]
    after = "\n".join(lines)
    assert apply_exactly({"a": text}, unified_diff({"a": text}, {"a": after})) == {"a": after}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@given(before=FILES, after=FILES)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_git_applies_it_to_the_same_files(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, str], after: dict[str, str]
) -> None:
    diff = unified_diff(before, after)
    if not diff:
        return
    root = tmp_path_factory.mktemp("tree")
    for path, text in before.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(text.encode())
    ran = subprocess.run(
        ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-"],
        cwd=root,
        input=diff.encode(),
        capture_output=True,
        env=os.environ | {"GIT_CEILING_DIRECTORIES": str(root.parent)},
    )
    assert ran.returncode == 0, ran.stderr.decode()
    assert _tree(root) == after


def _tree(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_bytes().decode() for path in sorted(root.rglob("*")) if path.is_file()
    }


def test_a_diff_reads_as_git_writes_it() -> None:
    before = {"gone.py": "x = 1\n", "kept.py": "a\nb\nc\nd\ne\n"}
    after = {"kept.py": "a\nb\nC\nd\ne", "made.py": ""}
    assert unified_diff(before, after) == (
        "diff --git a/gone.py b/gone.py\ndeleted file mode 100644\n"
        "index 7d4290a117a4ddcc11daae7ea675841033830c8f..0000000000000000000000000000000000000000\n"
        "--- a/gone.py\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x = 1\n"
        "diff --git a/kept.py b/kept.py\n"
        "index 940532533944dd159bfd11136fac2ee35872de38..b7615dae52021c43141f7358ae0dcc646e2ec55a 100644\n"
        "--- a/kept.py\n+++ b/kept.py\n@@ -1,5 +1,5 @@\n a\n b\n-c\n+C\n d\n-e\n+e\n\\ No newline at end of file\n"
        "diff --git a/made.py b/made.py\nnew file mode 100644\n"
        "index 0000000000000000000000000000000000000000..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n"
    )


@pytest.mark.parametrize(
    ("base", "spoil"),
    [
        ({"a": "x\ny\n"}, lambda diff: diff.replace(" x", " z")),
        ({"a": "x\ny\n"}, lambda diff: diff.replace("@@ -1,2", "@@ -2,2")),
        ({"a": "x\ny\n"}, lambda diff: diff.replace("@@ -1,2", "@@ -1,3")),
        ({"a": "x\ny\n"}, lambda diff: diff[:-1]),
        ({"a": "x\ny\n"}, lambda diff: diff.replace("a/a", "a/../a").replace("b/a", "b/../a")),
        ({"a": "x\ny\n"}, lambda diff: "words\n" + diff),
        ({}, lambda diff: diff),
        ({"a": "x\ny\n"}, lambda diff: diff.replace("--- a", "new file mode 100644\n--- a")),
    ],
)
def test_the_inverse_is_strict(base: dict[str, str], spoil) -> None:  # type: ignore[no-untyped-def]
    diff = unified_diff({"a": "x\ny\n"}, {"a": "x\ny\nz\n"})
    with pytest.raises(PatchError):
        apply_exactly(base, spoil(diff))


@pytest.mark.parametrize("path", ["../a", "/a", ".git/config", "a/.GIT/x", "a\\b", "a\nb", "", "a//b", "./a", "C:a"])
def test_an_unsafe_path_is_not_written_into_a_diff(path: str) -> None:
    with pytest.raises(PatchError):
        unified_diff({}, {path: "x"})
