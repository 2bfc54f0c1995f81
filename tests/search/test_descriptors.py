from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from search.descriptors import MEASURES, CodeMeasures, axes, change_size, code_measures, describe
from search.grid import Axis

BUSY = """
import os, sys
from os import path as p
from . import near

# a comment is no line of code
def busy(rows, flag=lambda x: x if x else 0):
    for row in rows:                                     # 1
        if row and flag or not rows:                     # 3
            while True:                                  # 1
                try:
                    return [c for r in rows if r for c in r if c if flag]  # 5
                except (KeyError, ValueError):           # 1
                    pass
        elif row is None:                                # 1
            match rows:
                case [1]:                                # 1
                    return 1
                case _:
                    return 2
    return None
"""


def test_measures_of_a_text_counted_by_hand() -> None:
    m = code_measures(BUSY)
    assert m.modules == {"os", "sys", "."}
    assert m.imports == 3
    assert m.lines == 18
    assert m.functions == 2
    assert m.hardest == 14  # 1 + the numbers beside the lines
    assert m.complexity == 1 + 14 + 2  # the module, `busy`, and the lambda with its conditional expression
    assert m.nesting == 4  # for, if, while, try


def test_an_elif_is_no_deeper_and_a_function_begins_anew() -> None:
    chain = "if a:\n    pass\n" + "elif b:\n    pass\n" * 30
    assert code_measures(chain).nesting == 1
    nested = "if a:\n  if b:\n    def f():\n      if c:\n        pass\n"
    assert code_measures(nested).nesting == 2


def test_measures_add_up() -> None:
    one, two = code_measures(BUSY), code_measures("import os\n\n\ndef f(): pass\n")
    both = one + two
    assert both == two + one
    assert (both.lines, both.functions, both.complexity) == (20, 3, 17 + 2)
    assert (both.hardest, both.nesting, both.imports) == (14, 4, 3)
    assert one + CodeMeasures() == one


@pytest.mark.parametrize("text", ["def f(:", "a\0b", "(" * 5000, "-" * 200_000 + "1"])
def test_what_is_no_python_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not Python"):
        code_measures(text)


def test_a_long_expression_is_measured_or_refused_but_never_crashes() -> None:
    assert code_measures(" + ".join(["x"] * 400)).nodes > 800
    assert code_measures("x = '\\d'").complexity == 1  # Python's warning about the escape is nobody's business here


LINES = st.lists(st.sampled_from(["a = 1", "  b = 2", "", "c()"]), max_size=8).map("\n".join)
FILES = st.dictionaries(st.sampled_from(["x.py", "y.py", "z.toml"]), LINES, max_size=3)


@given(FILES, FILES)
def test_the_size_of_a_change_is_a_share(before: dict[str, str], after: dict[str, str]) -> None:
    size = change_size(before, after)
    assert 0 <= size <= 1
    assert size == change_size(after, before)
    assert change_size(before, before) == 0


def test_the_size_of_a_change_by_hand() -> None:
    assert change_size({"x.py": "a\nb\nc"}, {"x.py": "c\nb\nd"}) == 2 / 6  # a out, d in; a moved line is no change
    assert change_size({"x.py": "a"}, {"y.py": "a"}) == 1  # another file is another place
    assert change_size({}, {"x.py": "a\n\nb"}) == 1
    assert change_size({}, {}) == 0


def test_a_candidate_is_described_by_the_measures_asked_for() -> None:
    before, after = {"a.py": "import os\n", "b.txt": "one\n"}, {"a.py": "import os\nimport re\n", "b.txt": "one\n"}
    names = [*MEASURES, "metric:accuracy"]
    values = describe(names, before, after, {"accuracy": 0.5, "other": 1.0}, memory_mb=12.5)
    assert list(values) == names
    assert (values["imports"], values["lines"], values["memory_mb"], values["metric:accuracy"]) == (2, 3, 12.5, 0.5)
    assert values["change_size"] == 1 / 5
    assert describe(["change_size"], {"a.py": "("}, {"a.py": "("}, {}) == {"change_size": 0.0}  # nothing to parse


@pytest.mark.parametrize("name", ["memory_mb", "metric:accuracy"])
def test_a_measure_that_the_run_does_not_report_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=name.removeprefix("metric:")):
        describe([name], {}, {}, {"loss": 1.0})


def test_axes_are_chosen_by_name() -> None:
    chosen = axes({"lines": 4, "complexity": [5, 10], "metric:accuracy": 2})
    assert chosen == (Axis("lines", bins=4), Axis("complexity", edges=(5.0, 10.0)), Axis("metric:accuracy", bins=2))
    for wrong in ("complexty", "metric:", "accuracy"):
        with pytest.raises(ConfigError, match=f"no measure '{wrong}'"):
            axes({wrong: 3})
    with pytest.raises(ConfigError, match="axis 'lines' has 1 bins"):
        axes({"lines": 1})
