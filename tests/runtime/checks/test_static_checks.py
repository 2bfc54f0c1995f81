"""Checks that read a draft and run nothing of it: files, syntax, interface, imports, complexity."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.drafts import CheckFault
from runtime.checks.complexity import changed_complexities
from runtime.checks.files import file_faults, syntax_faults
from runtime.checks.imports import import_faults
from runtime.checks.interface import interface_faults

BRANCHES = (
    "def f(a: int) -> int:\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(9)) + "    return a\n"
)


def test_files_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.py").write_text("x = 1\n")
    (tmp_path / "shop" / "link.py").symlink_to("/etc/hostname")
    (tmp_path / "out").symlink_to("/tmp")
    wrong = {
        "../b.py": "leads out", "/b.py": "leads out", "shop/../a.py": "leads out", ".git/a.py": "leads out",
        "shop//a.py": "leads out", "shop/a\n.py": "leads out", "shop/x.txt": "only Python", "lib/a.py": "may not",
        "shop/test_a.py": "belongs to the tests", "shop/a.py": "nothing is changed", "shop/link.py": "a link",
        "out/a.py": "a link",
    }  # fmt: skip
    found = file_faults(
        dict.fromkeys(wrong, "x = 1\n"),
        tmp_path,
        lambda path: not path.startswith("lib/"),
        ("test_*.py", "*/test_*.py"),
    )
    assert {fault.path for fault in found} == set(wrong)
    for fault in found:
        assert any(wrong[one.path] in one.text for one in found if one.path == fault.path)
    assert file_faults({"shop/a.py": "x = 2\n", "shop/b.py": ""}, tmp_path, lambda _: True, ()) == []


def test_syntax_is_told_with_its_line() -> None:
    files = {
        "a.py": "x = (\n",
        "b.py": "def f(:\n    pass\n",
        "c.py": "x = 1\0",
        "d.py": "return 1\n",
        "e.py": "x = 1\n",
    }
    found = {fault.path: fault.line for fault in syntax_faults(files)}
    assert found.keys() == {"a.py", "b.py", "c.py", "d.py"}
    assert found["b.py"] == 1


def test_every_import_is_followed_without_running_anything(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    (shop / "parts").mkdir(parents=True)
    (shop / "__init__.py").write_text("VERSION = 1\nfrom .prices import price as cost\n")
    (shop / "prices.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\ndef price(): ...\ntry:\n    A = 1\nfinally: B = 2\n"
    )
    (shop / "open.py").write_text("from os.path import *\n")
    (tmp_path / "src" / "extra").mkdir(parents=True)
    (tmp_path / "src" / "extra" / "x.py").write_text("y = 1\n")
    text = """import json, os.path, importlib.util
import no_such_package
import xml.no_such_part
from shop import VERSION, cost, prices, parts, nothing
from shop.prices import price, A, B, gone
from shop.open import anything
from shop.absent import x
from . import prices as p
from .prices import price, lost
from ... import far
from extra.x import y
from pydantic import whatever_it_holds
import pydantic.main
import pydantic.no_such_part
from __future__ import annotations
try:
    import ujson
except ImportError:
    ujson = None
def late():
    import not_there_either
"""
    found = import_faults({"shop/app.py": text}, tmp_path)
    assert sorted((fault.line, fault.text.rsplit(" ", 1)[-1].strip("'.")) for fault in found) == [
        (2, "no_such_package"), (3, "xml.no_such_part"), (4, "nothing"), (5, "gone"), (7, "service"), (9, "lost"),
        (10, ""), (14, "pydantic.no_such_part"), (21, "not_there_either"),
    ]  # fmt: skip
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("def f(a): ...", "def f(a, b=1, *, c=2, **d): ...", ""),
        ("def f(a, *, b): ...", "def f(a, b): ...", ""),
        ("def f(a): ...", "def f(b): ...", "f takes other positional"),
        ("def f(a, b): ...", "def f(b, a): ...", "f takes other positional"),
        ("def f(a=1): ...", "def f(a): ...", "f needs a"),
        ("def f(a): ...", "def f(a, b): ...", "f needs b"),
        ("def f(a): ...", "def f(a, /): ...", "f takes other positional"),
        ("def f(*a, **b): ...", "def f(*a): ...", "f takes fewer"),
        ("def f(*, a): ...", "def f(): ...", "f takes fewer"),
        ("def f(a): ...", "async def f(a): ...", "f is called in another way"),
        ("def f(a): ...", "", "f is gone"),
        ("def f(a): ...", "from other import f", ""),
        ("def f(a): ...", "f = print", ""),
        ("X = 1", "Y = 1", "X is gone"),
        ("_X = 1\ndef _f(): ...", "", ""),
        ("class A:\n    def m(self): ...", "class A:\n    pass", "A.m is gone"),
        ("class A:\n    def m(self): ...", "class A(B):\n    pass", ""),
        (
            "class A:\n    @property\n    def m(self): ...",
            "class A:\n    def m(self): ...",
            "A.m is called in another way",
        ),
        ("class A: ...", "def A(): ...", "A is a class no more"),
        ("x = (", "y = 1", ""),
    ],
)
def test_what_others_use_stays(before: str, after: str, told: str) -> None:
    found = [fault.text for fault in interface_faults({"a.py": before}, {"a.py": after})]
    assert bool(found) == bool(told), found
    assert all(text.startswith(told) for text in found)


def test_only_functions_that_grew_too_complex_are_faults() -> None:
    small = "def f(a: int) -> int:\n    return a\n"
    new = changed_complexities({"a.py": small}, {"a.py": BRANCHES}, 10)
    assert [(fault.line, fault.text) for fault in new.faults] == [(1, "f has complexity 10, must be below 10")]
    assert (new.hardest, new.grown) == (10, 9)
    other = changed_complexities({"a.py": BRANCHES}, {"a.py": BRANCHES.replace("return a\n", "return -a\n")}, 10)
    assert other.faults == ()
    assert [fault.text for fault in other.known] == ["f has complexity 10, must be below 10"]
    untouched = changed_complexities({"a.py": BRANCHES}, {"a.py": "# a remark\n" + BRANCHES + "\nX = 1\n"}, 10)
    assert (untouched.faults, untouched.known, untouched.hardest) == ((), (), 0)


def test_a_fault_reads_as_one_line() -> None:
    assert str(CheckFault(check="types", text="no", path="a.py", line=3)) == "types: a.py:3: no"
    assert str(CheckFault(check="tests", text="no")) == "tests: no"
