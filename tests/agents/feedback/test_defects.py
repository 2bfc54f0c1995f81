"""Defects in people's docstrings: found where proven, silent where the code could make the docstring true."""

from __future__ import annotations

import textwrap

import pytest

from agents.feedback.defects import docstring_defects
from agents.feedback.docstrings import parse_docstring
from agents.feedback.facts import module_facts


def defects(code: str):
    return docstring_defects(module_facts(textwrap.dedent(code)))


def test_the_defects_of_a_numpy_docstring_stand_at_their_lines():
    code = textwrap.dedent(
        '''
        def scale(values, factor=2):
            """Scale values.

            Parameters
            ----------
            values : list
                What to scale.
            factr : int, default=3
                By how much.
            factor : int, default=3
                By how much.

            Returns
            -------
            list
                The scaled values.
            """
            for index, each in enumerate(values):
                values[index] = each * factor
        '''
    )
    found = defects(code)
    assert [each.kind for each in found] == ["wrong_parameter", "wrong_default", "returns_nothing"]
    lines = code.split("\n")
    assert [lines[each.line - 1].split()[0] for each in found] == ["factr", "factor", "list"]
    assert "factor=2" in found[1].evidence
    assert all(each.fix for each in found)


def test_lines_count_below_quotes_that_stand_alone():
    code = 'def f(a):\n    """\n\n    F.\n\n    :param b: two.\n    :param a: one.\n    """\n'
    assert [each.line for each in defects(code)] == [6]


@pytest.mark.parametrize(
    "code",
    [
        'def f(a):\n    """F.\n\n    Args:\n        a: one.\n\n    ```\n    Args:\n        city: x\n    ```\n    """\n',
        'def f(a, **kw):\n    """F.\n\n    Args:\n        a: one.\n        b: two.\n    """\n',
        '@wraps\ndef f(a):\n    """F.\n\n    :param b: two.\n    :param a: one.\n    """\n',
        'def f(a=None):\n    """F.\n\n    :param a: one, default 5.\n    """\n    return a or 5\n',
        'def f(a=1):\n    """F.\n\n    :param a: one. Defaults to 1.0.\n    """\n',
        'def f(btype="low"):\n    """F.\n\n    :param btype: kind. Default is \'lowpass\'.\n    """\n',
        'def f(a):\n    """F.\n\n    Returns:\n        int: it.\n    """\n    raise NotImplementedError\n',
        'def f(a):\n    """F.\n\n    Returns:\n        None\n    """\n    print(a)\n',
        'async def f(a):\n    """F.\n\n    :returns: a future\n    """\n    await a\n',
        'def f(a=5):\n    """F.\n\n    :param a: one, default 5 if b else 7.\n    """\n',
        'def f(a=9):\n    """F.\n\n    :param a: points, less than ``a / rate`` (default: 1/2 second).\n    """\n',
    ],
)
def test_silence_where_the_docstring_may_be_right(code: str):
    assert defects(code) == []


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("Do it.\n\nParameters\n----------\na : int\n    First.\n\nReturns\n-------\nbool\n    Whether.\n", "numpy"),
        (
            "Do it.\n\nArgs:\n    a (int): First.\n\nReturns:\n    bool: Whether.\n\nRaises:\n    KeyError: never.\n",
            "google",
        ),
        ("Do it.\n\n:param int a: First.\n:returns: Whether.\n:rtype: bool\n:raises KeyError: never.\n", "sphinx"),
    ],
)
def test_three_styles_say_the_same(text: str, style: str):
    parsed = parse_docstring(text)
    assert (parsed.style, parsed.summary) == (style, "Do it.")
    assert [(p.name, p.type, p.description) for p in parsed.params] == [("a", "int", "First.")]
    assert parsed.returns is not None
    assert (parsed.returns.type, parsed.returns.description) == ("bool", "Whether.")
