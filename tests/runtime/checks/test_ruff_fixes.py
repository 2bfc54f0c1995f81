"""Ruff as a process: its fixes, the rules it does not know, and what happens without it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.errors import ConfigError, UnavailableError
from runtime.checks.ruff import faults, fixes

SLOW = "def f(xs):\r\n    y = set([x for x in xs])  # Größe\r\n    return list(sorted(y))\r\n"


def test_fixes_are_written_and_the_rest_stays():
    after = fixes(SLOW, "a.py", ["C4"], unsafe=True)
    assert after == "def f(xs):\r\n    y = set(xs)  # Größe\r\n    return sorted(y)\r\n"
    assert fixes(after, "a.py", ["C4"], unsafe=True) == after


def test_unsafe_fixes_only_where_wanted():
    text = "def f(x):\n    return list([i for i in x])\n"
    loop = "def f(x):\n    out = []\n    for i in x:\n        if i:\n            out.append(i)\n    return out\n"
    assert fixes(text, "a.py", ["SIM"]) == text
    assert fixes(loop, "a.py", ["PERF401"]) == loop
    assert "[i for i in x if i]" in fixes(loop, "a.py", ["PERF401"], unsafe=True)


def test_no_rules_no_fixes_and_broken_code_stays():
    assert fixes(SLOW, "a.py", []) == SLOW
    assert fixes("def f(:\n", "a.py", ["PERF"], unsafe=True) == "def f(:\n"


def test_an_unknown_rule_is_told():
    with pytest.raises(ConfigError, match="does not know a rule of ZZZ") as error:
        fixes("x = 1\n", "a.py", ["ZZZ"])
    assert "PERF" in error.value.hint


def test_no_configuration_around_the_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "ruff.toml").write_text('exclude = ["*.py"]\n[lint]\nignore = ["C4"]\n')
    monkeypatch.chdir(tmp_path)
    assert "set(xs)" in fixes(SLOW, str(tmp_path / "a.py"), ["C4"], unsafe=True)


def test_a_ruff_that_is_missing_fails_or_hangs(tmp_path: Path):
    with pytest.raises(UnavailableError, match="does not start") as missing:
        fixes("x = 1\n", "a.py", ["C4"], program=str(tmp_path / "ruff"))
    assert "pip install ruff" in missing.value.hint

    def script(body: str) -> str:
        path = tmp_path / f"{body[:4]}.py"
        path.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
        path.chmod(0o755)
        return str(path)

    with pytest.raises(UnavailableError, match=r"no answer within 0\.5 s"):
        fixes("x = 1\n", "a.py", ["C4"], timeout_s=0.5, program=script("time.sleep(60)"))
    with pytest.raises(UnavailableError, match="ruff failed: out of order"):
        fixes("x = 1\n", "a.py", ["C4"], program=script("sys.exit('out of order')"))


def test_faults_are_those_that_never_work() -> None:
    assert faults("x = 1\nprint(x)\n", "a.py") == []
    (found,) = faults("def f():\n    return nothing\n", "a.py")
    assert found.startswith("F821 ")
    assert "nothing" in found
