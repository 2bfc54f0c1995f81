"""`feedback FILE…` as a user calls it: every test through real processes."""

from __future__ import annotations

import ast
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import Answer, call_process

CODE = '''"""Stock of a shop."""


def take(counts, name, count=1, strict=True):
    """Take articles out.

    Args:
        counts: what there is
        amount: how many
        strict: whether too few is an error (default False)
    """
    if count < 1:
        raise ValueError(f"count is {count}")
    left = counts.get(name, 0)
    if left < count and strict:
        raise KeyError(name)
    counts[name] = left - count
    return counts[name]


def total(counts, skip=()):
    # TODO: weights
    return sum(count for name, count in counts.items() if name not in skip)
'''
TRAP = 'from pathlib import Path\n\nPath("executed").write_text("yes")\n\n\ndef f(a):\n    return a\n'


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    file = tmp_path / "stock.py"
    file.write_text(CODE)
    return file


def call(folder: Path, *words: object) -> Answer:
    folder.mkdir(exist_ok=True)
    return call_process(*words, home=folder / "home")


def only(answer: Answer) -> Any:
    (told,) = answer.json["files"]
    return told


def test_it_shows_rewards_guidance_defects_and_where_the_report_lies(stock: Path, tmp_path: Path) -> None:
    answer = call(tmp_path, "feedback", "stock.py", "--guidance", "Focus on type hints, write a limerick")
    assert answer.code == 0, answer.err
    out = answer.out
    assert "round  reward" in out
    assert "followed as types: +" in out
    assert "not met: 'write a limerick'" in out
    assert "line 9  take documents the parameter 'amount'" in out
    assert "line 10  take documents the default strict = False" in out
    assert "strict=True" in out
    (report,) = (tmp_path / "home" / "workflow_runs").glob("*.json")
    assert f"report: {report}" in out
    assert json.loads(report.read_text())["guidance"] == ["Focus on type hints, write a limerick"]
    assert stock.read_text() == CODE


def test_the_top_level_form_does_the_same(stock: Path, tmp_path: Path) -> None:
    words = ("--iterations", 2, "--guidance", "Review function headers", "--json")
    long = only(call(tmp_path / "a", "--code-feedback", tmp_path / "stock.py", *words))
    short = only(call(tmp_path / "b", *words[-1:], "feedback", tmp_path / "stock.py", *words[:-1]))
    assert {**long, "report": ""} == {**short, "report": ""}
    assert len(long["rewards"]) == 2
    assert long["rewards"][1] >= long["rewards"][0]
    assert set(long["guidance"][0]["follows"]) == {"types", "params", "returns"}
    assert Path(long["report"]).parent == tmp_path / "a" / "home" / "workflow_runs"


def test_writing_changes_nothing_but_comments_and_only_once(tmp_path: Path) -> None:
    file = tmp_path / "café.py"
    text = "# -*- coding: latin-1 -*-\r\n" + CODE.replace("Stock", "Caf\xe9").replace("\n", "\r\n")
    file.write_bytes(text.encode("latin-1"))
    file.chmod(0o750)
    answer = call(tmp_path, "feedback", file, "--write", "--iterations", 1)
    assert (answer.code, f"written: {file}" in answer.out) == (0, True), answer.err
    written = file.read_bytes()
    assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(text.encode("latin-1")))
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    lines = written.decode("latin-1").split("\n")
    assert all(line.endswith("\r") for line in lines[:-1])
    assert [line for line in lines if not line.startswith("# »")] == text.split("\n")
    assert any(line.startswith("# »") for line in lines)
    again = call(tmp_path, "feedback", file, "--write", "--iterations", 1, "--json")
    assert (only(again)["written"], file.read_bytes()) == (False, written)


def test_the_diff_is_all_that_stands_on_stdout_and_can_be_applied(stock: Path, tmp_path: Path) -> None:
    answer = call(tmp_path, "feedback", "stock.py", "--diff", "--iterations", 1)
    assert answer.code == 0, answer.err
    assert stock.read_text() == CODE
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=answer.out, text=True, check=True)
    assert stock.read_text() != CODE
    assert ast.dump(ast.parse(stock.read_text())) == ast.dump(ast.parse(CODE))


def test_the_diff_of_a_file_with_mark_and_other_newlines_can_be_applied(tmp_path: Path) -> None:
    data = CODE.replace("\n", "\r\n").encode("utf-8-sig")
    (tmp_path / "stock.py").write_bytes(data)
    told = only(call(tmp_path, "feedback", "stock.py", "--diff", "--iterations", 1, "--json"))
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=told["diff"].encode(), check=True)
    applied = (tmp_path / "stock.py").read_bytes()
    (tmp_path / "stock.py").write_bytes(data)
    call(tmp_path, "feedback", "stock.py", "--write", "--iterations", 1)
    assert applied == (tmp_path / "stock.py").read_bytes() != data


def test_the_threshold_decides_the_exit_code(stock: Path, tmp_path: Path) -> None:
    reward = only(call(tmp_path, "feedback", "stock.py", "--json"))["reward"]
    assert 0.02 < reward < 0.98
    low = call(tmp_path, "feedback", "stock.py", "--check", "--threshold", reward - 0.01)
    high = call(tmp_path, "feedback", "stock.py", "--check", "--threshold", reward + 0.01, "--json")
    assert (low.code, high.code) == (0, 8)
    assert list(high.json["check"]["failed"]) == ["stock.py"]
    assert high.json["check"]["passed"] is False


def test_a_baseline_is_stored_and_compared_with(stock: Path, tmp_path: Path) -> None:
    first = call(tmp_path, "feedback", "stock.py", "--baseline", "base.json")
    assert first.code == 0, first.err
    stored = json.loads((tmp_path / "base.json").read_text())["files"]["stock.py"]
    assert len(stored["defects"]) == 2
    same = call(tmp_path, "feedback", "stock.py", "--check", "--baseline", "base.json")
    assert (same.code, "check: passed" in same.out) == (0, True)
    stock.write_text("\n\n" + CODE.replace("strict: whether", "stric: whether"))
    new = call(tmp_path, "feedback", "stock.py", "--check", "--baseline", "base.json")
    assert new.code == 8
    assert "new defect in take: documents the parameter 'stric'" in new.out
    stock.write_text(CODE)
    raised = {"files": {"stock.py": {**stored, "reward": min(1.0, stored["reward"] + 0.02)}}}
    (tmp_path / "base.json").write_text(json.dumps(raised))
    fallen = call(tmp_path, "feedback", "stock.py", "--check", "--baseline", "base.json")
    assert (fallen.code, "reward fell from" in fallen.out) == (8, True)


@pytest.mark.parametrize("content", [None, "{", '{"files": {"a.py": {"reward": 7}}}'])
def test_a_baseline_that_is_none_is_refused_and_left_alone(stock: Path, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "base.json").write_text(content)
    answer = call(tmp_path, "feedback", "stock.py", "--check", "--baseline", "base.json")
    assert answer.code == 3
    assert "base.json" in answer.err
    assert content is None or (tmp_path / "base.json").read_text() == content


def test_sarif_holds_the_defects_with_file_and_line(stock: Path, tmp_path: Path) -> None:
    answer = call(tmp_path, "feedback", "stock.py", "--sarif", "out.sarif", "--iterations", 1)
    assert answer.code == 0, answer.err
    log = json.loads((tmp_path / "out.sarif").read_text())
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert log["version"] == "2.1.0"
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    warnings = {
        (result["ruleId"], place["artifactLocation"]["uri"], place["region"]["startLine"])
        for result in run["results"]
        if result["level"] == "warning"
        for place in [result["locations"][0]["physicalLocation"]]
    }
    assert warnings == {("docstring/wrong_parameter", "stock.py", 9), ("docstring/wrong_default", "stock.py", 10)}


BAD: dict[str, tuple[bytes, str]] = {
    "empty.py": (b"", "empty"),
    "syntax.py": (b"def f(:\n    return\n", "parses"),
    "binary.py": (b"\x7fELF\x00\x01", "binary"),
    "utf16.py": ("x = 1\n".encode("utf-16"), "utf-16"),
    "latin.py": (b"# caf\xe9\nx = 1\n", "decoded"),
    "main.go": (b"package main\n", "Go"),
}


@pytest.mark.parametrize("name", [*BAD, "gone.py"])
def test_an_only_file_that_is_bad_is_one_clear_error(tmp_path: Path, name: str) -> None:
    content, word = BAD.get(name, (None, "no such file"))
    if content is not None:
        (tmp_path / name).write_bytes(content)
    answer = call(tmp_path, "feedback", name, "--json")
    assert answer.code == 3
    told = answer.json["error"]
    assert word in told["what"]
    assert name in told["where"]
    assert "Traceback" not in answer.err


def test_the_good_ones_of_several_files_are_done_and_the_bad_ones_told(stock: Path, tmp_path: Path) -> None:
    for name, (content, _) in BAD.items():
        (tmp_path / name).write_bytes(content)
    answer = call(tmp_path, "feedback", *BAD, "stock.py", "--iterations", 1, "--json")
    assert answer.code == 1
    assert [told["path"] for told in answer.json["files"]] == ["stock.py"]
    assert {told["path"] for told in answer.json["failed"]} == set(BAD)
    assert all(told["what"] for told in answer.json["failed"])


def test_a_half_edited_file_gives_a_partial_result_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text("def good(a):\n    return a\n\n\ndef bad(:\n    return\n")
    answer = call(tmp_path, "feedback", "half.py", "--iterations", 1)
    assert answer.code == 0, answer.err
    assert "half.py:5: not analysed" in answer.out
    writing = call(tmp_path, "feedback", "half.py", "--iterations", 1, "--write")
    assert (writing.code, "does not parse" in writing.err) == (3, True)


def test_a_folder_is_searched_but_not_its_hidden_and_installed_parts(tmp_path: Path) -> None:
    for name in ("a.py", "deep/b.py", ".hidden/c.py", "env/lib/d.py", "__pycache__/e.py", "notes.txt"):
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("def f(a):\n    return a\n")
    (tmp_path / "tree" / "env" / "pyvenv.cfg").touch()
    (tmp_path / "tree" / "__init__.py").touch()
    answer = call(tmp_path, "feedback", "tree", "--iterations", 1, "--json")
    assert answer.code == 0, answer.err
    assert [told["path"] for told in answer.json["files"]] == ["tree/a.py", "tree/deep/b.py"]
    nothing = call(tmp_path, "feedback", "tree/.hidden/..", "tree/env/nothing", "--json")
    assert nothing.code == 1
    (tmp_path / "void").mkdir()
    assert call(tmp_path, "feedback", "void").code == 3


def test_twenty_thousand_lines_are_done(tmp_path: Path) -> None:
    body = "def f{n}(items, limit={n}):\n    total = 0\n" + "    total += len(items)\n" * 96 + "    return total\n\n"
    (tmp_path / "long.py").write_text("".join(body.replace("{n}", str(n)) for n in range(200)))
    assert len((tmp_path / "long.py").read_text().splitlines()) == 20_000
    answer = call(tmp_path, "feedback", "long.py", "--iterations", 1, "--json")
    assert answer.code == 0, answer.err
    assert 0 < only(answer)["reward"] <= 1


def test_nothing_of_the_file_is_executed(tmp_path: Path) -> None:
    (tmp_path / "trap.py").write_text(TRAP)
    answer = call(tmp_path, "feedback", "trap.py", "--write")
    assert answer.code == 0, answer.err
    assert not (tmp_path / "executed").exists()
    subprocess.run([sys.executable, "trap.py"], cwd=tmp_path, check=True)
    assert (tmp_path / "executed").exists()  # the trap works


@pytest.mark.parametrize(
    "words", [("--iterations", 0), ("--threshold", 0.5), ("--check", "--threshold", 2), ("--iteration", 2)]
)
def test_wrong_words_are_a_usage_error(stock: Path, tmp_path: Path, words: tuple[object, ...]) -> None:
    answer = call(tmp_path, "feedback", "stock.py", *words)
    assert answer.code == 2
    assert answer.err.startswith("error")


def test_guidance_that_paid_is_found_again_and_a_gate_forgets_it(stock: Path, tmp_path: Path) -> None:
    first = only(call(tmp_path, "feedback", "stock.py", "--iterations", 3, "--json"))
    assert (first["recalled"], first["rewards"][-1] > first["rewards"][0]) == ([], True)
    second = only(call(tmp_path, "feedback", "stock.py", "--iterations", 1, "--json"))
    assert second["recalled"]
    gate = only(call(tmp_path, "feedback", "stock.py", "--iterations", 1, "--check", "--threshold", 0, "--json"))
    assert gate["recalled"] == []
    found = call(tmp_path, "memory", "search", "take articles", "--collection", "comments", "--json")
    assert any("take" in memory["text"] for memory in found.json["memories"])


def test_the_exit_codes_are_told_by_help(tmp_path: Path) -> None:
    answer = call(tmp_path, "feedback", "--help")
    assert "8 --check did not pass" in " ".join(answer.out.split())
    assert "--code-feedback" in call(tmp_path, "--help").out
