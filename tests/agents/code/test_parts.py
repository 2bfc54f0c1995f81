"""Parts of a change: together they are the change, and any choice of them applies and parses."""

from __future__ import annotations

import ast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.code.parts import closed, compose, split
from tests.agents.code.programs import edited, programs

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXTS = st.builds(
    lambda lines, end: "\n".join(lines) + end,
    st.lists(st.sampled_from(["a", "b", "", "c\r", "\x0c", "d\u2028e"]), max_size=12),
    st.sampled_from(["", "\n"]),
)
FILES = st.dictionaries(st.sampled_from(["a.txt", "b.py", "c.md"]), TEXTS, max_size=3)


@given(FILES, FILES)
@SLOW
def test_all_parts_are_the_change_and_none_is_nothing(base: dict[str, str], after: dict[str, str]) -> None:
    parts = split(base, after)
    assert compose(base, parts) == after
    assert compose(base, reversed(parts)) == after
    assert compose(base, ()) == base
    assert (not parts) == (base == after)


@given(st.one_of(edited(1), st.tuples(programs(), programs())), st.booleans(), st.data())
@settings(SLOW, max_examples=40)
def test_any_choice_of_parts_parses(texts: tuple[str, str], ended: bool, data: st.DataObject) -> None:
    base, after = ({"m.py": text if ended else text.removesuffix("\n")} for text in texts)
    parts = split(base, after)
    assert compose(base, parts) == after
    chosen = data.draw(st.sets(st.sampled_from(range(len(parts))))) if parts else set()
    ast.parse(compose(base, [parts[at] for at in chosen])["m.py"])
    assert chosen <= closed(parts, chosen)
    for at in range(len(parts)):
        assert compose(base, [parts[at]]) != base


BASE = """\
import os


def first(x):
    if x:
        return 1
    else:
        return 2


class Kind:
    size = 1

    def grow(self):
        self.size += 1
        return self.size
"""


def test_parts_are_single_statements() -> None:
    after = (
        BASE.replace("return 1", "return 10")
        .replace("return 2", "return 20")
        .replace("size = 1", "size = 5")
        .replace("        return self.size", "        print(self.size)\n        return self.size")
    )
    parts = split({"m.py": BASE}, {"m.py": after})
    assert [(part.where, part.text) for part in parts] == [
        ("first", "        return 10\n"),
        ("first", "        return 20\n"),
        ("Kind", "    size = 5\n"),
        ("Kind.grow", "        print(self.size)\n"),
    ]


def test_parts_at_one_place_keep_their_order() -> None:
    base = {"m.py": "class A:\n    x = 1\n"}
    after = {"m.py": "class A:\n    x = 1\n    y = 2\n\n\nclass B:\n    z = 3\n"}
    parts = split(base, after)
    assert [(part.start, part.end) for part in parts] == [(2, 2), (2, 2)]
    assert compose(base, parts) == compose(base, reversed(parts)) == after


def test_a_part_needs_what_brings_its_names() -> None:
    after = {
        "m.py": BASE.replace("import os\n", "import os\nimport zlib\n")
        .replace("return 1", "return helper(1)")
        .replace("size = 1", "size = 2")
        + "\n\ndef helper(x):\n    return zlib.crc32(x)\n"
    }
    base = {"m.py": BASE}
    parts = split(base, after)
    place = {part.where or (part.text or "").split()[0]: at for at, part in enumerate(parts)}
    assert parts[place["first"]].needs == {place["def"]}
    assert closed(parts, {place["first"]}) == {place["first"], place["def"], place["import"]}
    assert parts[place["Kind"]].needs == frozenset()


def test_a_local_name_is_needed_only_within_its_function() -> None:
    base = {"m.py": "def f(x):\n    a = 1\n    return a\n\n\ndef g(x):\n    b = 1\n    return b\n"}
    changed = base["m.py"].replace("    a = 1\n    return a", "    fresh = 2\n    a = 1\n    return fresh")
    after = {"m.py": changed.replace("return b", "return [fresh for fresh in x]")}
    parts = split(base, after)
    assert [part.needs for part in parts] == [frozenset(), {0}, frozenset()]
