"""Facts are what the syntax proves, at the right line, and nothing that is analysed ever runs."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from agents.feedback.facts import function_facts, module_facts
from agents.feedback.sources import decode, parse, read_source
from core.errors import ConfigError, NotFoundError

SOURCE = textwrap.dedent(
    '''
    import os

    LIMIT = 3

    class Store(dict):
        """Keeps things."""

        kind: str = "plain"

        def put(self, key, value: int, *rest, force=False, **more) -> None:
            """Put it."""
            if key is None:
                raise ValueError(f"no key for {value}")
            assert value > 0
            try:
                old = self[key]
            except KeyError:
                pass
            except OSError as error:
                raise
            # TODO: evict the oldest
            for each in rest:
                while each:
                    if force:
                        with open(key) as file:
                            each = file.read()
            more["x"] = 1
            self.size += 1

        @staticmethod
        def walk(tree):
            def inner():
                return 1
            yield from tree
    '''
)


def facts_of(name: str):
    return next(each for each in module_facts(SOURCE).functions if each.name == name)


def test_signature_with_kinds_defaults_and_annotations():
    put = facts_of("put")
    assert [(p.name, p.kind, p.default, p.annotation) for p in put.visible_params] == [
        ("key", "positional", None, None),
        ("value", "positional", None, "int"),
        ("rest", "var_positional", None, None),
        ("force", "keyword_only", "False", None),
        ("more", "var_keyword", None, None),
    ]
    assert put.untyped == ("key", "rest", "force", "more")
    assert (put.kind, put.class_name, put.bases, put.docstring) == ("method", "Store", ("dict",), "Put it.")
    assert put.siblings == ("walk",)


def test_raises_with_condition_message_and_reraise():
    raised = facts_of("put").raised
    assert [(r.exception, r.reraised) for r in raised] == [("ValueError", False), ("OSError", True)]
    assert raised[0].condition == "key is None"
    assert raised[0].message == "no key for {value}"
    assert SOURCE.split("\n")[raised[0].line - 1].strip().startswith("raise ValueError")


def test_effects_guards_asserts_depth_and_todo():
    put = facts_of("put")
    assert {(e.kind, e.what) for e in put.effects} == {
        ("io", "open()"),
        ("argument", "more"),
        ("attribute", "self.size"),
    }
    assert [(g.condition, g.action) for g in put.guards] == [("key is None", "raise ValueError")]
    assert [a.condition for a in put.assertions] == ["value > 0"]
    assert put.deepest is not None
    assert put.deepest.depth == 4
    assert [(t.tag, t.text) for t in put.todos] == [("TODO", "evict the oldest")]
    assert [h.action for h in put.caught] == ["pass", "raise"]


def test_a_raise_that_the_function_catches_itself_does_not_leave():
    facts = function_facts("def f():\n    try:\n        raise KeyError\n    except KeyError:\n        return 1\n")
    assert facts is not None
    assert facts.raised == ()


@pytest.mark.parametrize(
    ("raised", "caught", "leaves"),
    [
        ("KeyError", "Exception", False),
        ("KeyError", "LookupError", False),
        ("KeyError", "", False),
        ("FileNotFoundError", "IOError", False),
        ("KeyError", "ValueError", True),
        ("SystemExit", "Exception", True),
        ("errors.Full", "Exception", False),
        ("errors.Full", "errors.Base", False),
        ("errors.Full", "KeyError", True),
        ("KeyError", "errors.Base", True),
    ],
)
def test_what_a_handler_catches_or_may_catch_does_not_leave(raised: str, caught: str, leaves: bool):
    facts = function_facts(f"def f():\n    try:\n        raise {raised}()\n    except {caught}:\n        return 1\n")
    assert facts is not None
    assert bool(facts.raised) is leaves


def test_a_raised_variable_is_known_by_what_it_holds():
    facts = function_facts("def f(x):\n    error = ValueError(x)\n    raise error\n")
    assert facts is not None
    assert [each.exception for each in facts.raised] == ["ValueError"]


def test_an_elif_is_no_level_deeper():
    chain = "".join(f"    elif x == {i}:\n        return {i}\n" for i in range(1500))
    facts = function_facts(f"def f(x):\n    if x is None:\n        return 0\n{chain}")
    assert facts is not None
    assert facts.deepest is not None
    assert (facts.deepest.depth, facts.complexity) == (1, 1502)


@pytest.mark.parametrize(
    ("body", "reaches", "may"),
    [
        ("with x:\n        return 1", False, True),
        ("with x:\n        print(1)", True, True),
        ("return 1 if x else sys.exit(1)", False, False),
        ("if x:\n        return 1\n    sys.exit(1)", False, True),
        ("if x:\n        return 1", True, True),
        ("while True:\n        for y in x:\n            break", False, False),
        ("while True:\n        if x:\n            break", True, True),
        ("match x:\n        case 1:\n            return 1", False, True),
        ("try:\n        return x\n    except KeyError:\n        pass", True, True),
    ],
)
def test_whether_the_end_is_reached(body: str, reaches: bool, may: bool):
    facts = function_facts(f"def f(x):\n    {body}\n")
    assert facts is not None
    assert (facts.reaches_end, facts.falls_through) == (reaches, may)


@pytest.mark.parametrize(
    "source",
    [
        '    @property\n    def size(self):\n        return """\nat the margin\n"""\n',
        "@property\n    def size(self):\n        return 1\n",
        "    async def size(self):\n        return 1\n",
        "def size(self):\r    return 1\r",
    ],
)
def test_a_method_is_read_as_it_stands_in_its_file(source: str):
    facts = function_facts(source)
    assert facts is not None
    assert (facts.name, facts.returns_value) == ("size", True)
    assert source.splitlines()[facts.line - 1].strip().startswith(("def size", "async def size"))


def test_what_an_inner_function_returns_is_not_returned():
    walk = facts_of("walk")
    assert (walk.returned, walk.is_generator, walk.kind) == ((), True, "staticmethod")


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ("return 'a %s' % x", ("str",)),
        ("return [y for y in x]", ("list",)),
        ("return x in (1, 2)", ("bool",)),
        ("y = {}\n    return y", ("dict",)),
        ("y = 1\n    y = g(x)\n    return y", ("?", "int")),
        ("return x.get(1)", ("?",)),
        ("return None", ("None",)),
        ("a = a\n    return a", ("?",)),
    ],
)
def test_return_kinds_are_inferred_or_left_open(body: str, kinds: tuple[str, ...]):
    facts = function_facts(f"def f(x):\n    {body}\n")
    assert facts is not None
    assert facts.returned[0].kinds == kinds


def test_a_rebound_argument_is_not_the_callers():
    facts = function_facts("def f(x):\n    x = list(x)\n    x.append(1)\n    x[0] = 2\n    return x\n")
    assert facts is not None
    assert facts.effects == ()


def test_partial_facts_of_a_file_with_a_syntax_error():
    facts = module_facts("def good(a):\n    return a\n\n\ndef bad(:\n    pass\n\n\nclass Fine:\n    x = 1\n")
    assert [f.name for f in facts.functions] == ["good"]
    assert [(c.name, c.line) for c in facts.classes] == [("Fine", 9)]
    assert [(u.line, u.end_line) for u in facts.unparsed] == [(5, 8)]
    assert "line 5" in facts.unparsed[0].reason


def test_deep_nesting_is_a_partial_result_not_a_crash():
    facts = module_facts("def f():\n    return 1\n\nx = " + "(" * 5000 + ")" * 5000 + "\n")
    assert [f.name for f in facts.functions] == ["f"]
    assert facts.unparsed


def test_an_expression_that_is_too_deep_costs_only_its_function():
    deep = "def deep(x):\n    return " + " + ".join(["x"] * 900) + "\n"
    facts = module_facts(f"def f():\n    return 1\n\n{deep}")
    assert [f.name for f in facts.functions] == ["f"]
    assert (facts.unparsed[0].line, facts.unparsed[0].reason) == (4, "deep is nested too deeply")


def test_nothing_is_executed(tmp_path: Path):
    trap = tmp_path / "ran"
    module_facts(f"open({str(trap)!r}, 'w')\n\ndef f(x=open({str(trap)!r}, 'w')):\n    pass\n")
    assert not trap.exists()


def test_a_class_stands_for_its_init():
    facts = function_facts("class A:\n    def run(self): ...\n    def __init__(self, size): self.size = size\n")
    assert facts is not None
    assert [p.name for p in facts.visible_params] == ["size"]


def test_reading_honours_the_declared_encoding(tmp_path: Path):
    file = tmp_path / "latin.py"
    file.write_bytes("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"))
    assert "'é'" in read_source(file)
    assert decode(b"\xef\xbb\xbfx = 1\r\n") == "x = 1\n"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.py", b"\x00\x01\x02", "binary"),
        ("a.py", "x = 'é'".encode("latin-1"), "decoded"),
        ("a.py", b"# coding: nonsense\n", "decoded"),
        ("a.py", "x = 1".encode("utf-16"), "utf-16"),
        ("a.js", b"let x = 1", "JavaScript"),
        ("a.py", b"#" * 5_000_001, "more than"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(tmp_path: Path, name: str, data: bytes, says: str):
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(ConfigError, match=says):
        read_source(file)


def test_a_missing_file_is_not_found(tmp_path: Path):
    with pytest.raises(NotFoundError):
        read_source(tmp_path / "none.py")


def test_parse_keeps_the_lines_of_what_parses():
    tree, broken = parse("x = (\n\ny = 2\n")
    assert broken
    assert all(isinstance(node, ast.stmt) for node in tree.body)
