"""Written comments leave the syntax tree identical and the text around them untouched."""

from __future__ import annotations

import argparse
import ast
import inspect
import subprocess
import textwrap
from pathlib import Path

import pytest

from agents.feedback.generator import generate
from agents.feedback.records import CodeComments, Directive, ScopeSummary, Statement
from agents.feedback.writing import MARK, insert_comments, unified_diff
from core.errors import ConfigError

CODE = textwrap.dedent(
    '''
    import  os     # odd   spacing stays


    class A( object ):

        # an old remark
        @property
        @other(1,
               2)
        def size(self)  :
            return len(self.items);

        async def fetch(self, url, *, tries = 3):
            """Fetch."""
            async with self.get(url) as answer :
                return answer
    if os.name == "nt":
        def only_here(x): return {x}
    '''
)


def test_the_tree_is_identical_and_only_comment_lines_are_added():
    after = insert_comments(CODE, generate("a.py", CODE, [Directive(name="types")]))
    assert ast.dump(ast.parse(after)) == ast.dump(ast.parse(CODE))
    added = [line for line in after.split("\n") if line.strip().startswith(MARK)]
    assert added
    assert [line for line in after.split("\n") if not line.strip().startswith(MARK)] == CODE.split("\n")
    diff = unified_diff("a.py", CODE, after)
    assert not [line for line in diff.split("\n") if line.startswith("-") and not line.startswith("---")]


def test_writing_twice_changes_nothing():
    once = insert_comments(CODE, generate("a.py", CODE))
    assert insert_comments(once, generate("a.py", once)) == once
    assert unified_diff("a.py", once, once) == ""


def test_a_real_module_survives():
    code = inspect.getsource(argparse)
    after = insert_comments(code, generate("argparse.py", code))
    assert ast.dump(ast.parse(after)) == ast.dump(ast.parse(code))
    assert after != code


def test_text_cannot_break_out_of_its_comment():
    evil = Statement(topic="purpose", text="fine\nimport os; os.abort()\r\x0c#", source="model", line=1, end_line=1)
    code = "def f():\n    return 1\n"
    comments = CodeComments(
        path="f.py", summaries=(ScopeSummary(scope="function", name="f", line=1, end_line=2, statements=(evil,)),)
    )
    after = insert_comments(code, comments)
    assert ast.dump(ast.parse(after)) == ast.dump(ast.parse(code))
    assert after.endswith(code)


def test_code_that_does_not_parse_is_refused():
    with pytest.raises(ConfigError, match="does not parse"):
        insert_comments("def f(:\n", generate("f.py", "def f(:\n"))


@pytest.mark.parametrize("end", ["\n", "", "\r\n"])
def test_a_diff_can_be_applied_whatever_ends_a_line(tmp_path: Path, end: str):
    code = "A = 1\x0c\nB = '\u2028'\n\n\ndef f(x):\n    return [x]"
    code = code.replace("\n", end or "\n") + end
    (tmp_path / "m.py").write_bytes(code.encode())
    after = insert_comments(code, generate("m.py", code))
    diff = unified_diff("m.py", code, after)
    subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=tmp_path, check=True)
    assert (tmp_path / "m.py").read_bytes() == after.encode() != code.encode()
