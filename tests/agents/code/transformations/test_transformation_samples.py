"""Every transformation on its sample: what it writes, that it behaves the same, and what it must leave alone."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.code.transformations.registry import apply_site, find_sites, transformations

SAMPLES = Path(__file__).parents[3] / "data" / "transformations"
NAMES = tuple(transformations())

number = st.integers(-20, 20)
numbers = st.lists(number, max_size=12)
word = st.text(alphabet="abAB .,1é", max_size=6)
words = st.lists(word, max_size=12)
text = st.text(alphabet="abAB .,\n1ézGET/colurERO", max_size=40)
pairs = st.lists(st.tuples(number, word), max_size=10)
graph = st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=5), max_size=9)
weighted = st.dictionaries(
    st.integers(0, 9), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=5), max_size=9
)
customers = st.lists(st.fixed_dictionaries({"id": number, "name": word}), max_size=6)
orders = st.lists(st.fixed_dictionaries({"customer": number, "paid": st.booleans(), "total": number}), max_size=8)
finite = st.floats(-1e6, 1e6, allow_nan=False)

stored = st.sampled_from(["a", "A", "b", "1", "1.0", "", 0, 1, 2, 1.0, 2.5, True, b"a", b"1", None, 10**18])
"""What SQLite keeps and compares in its own ways: by affinity, by collation, NULL as nothing's equal."""

INPUTS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "batched_query": (
        st.lists(st.tuples(stored, stored), max_size=8),
        st.lists(st.tuples(stored, st.integers(-1, 3), word), max_size=8),
        st.lists(stored | number | word | finite, max_size=8),
    ),
    "cache_pure": (words, numbers),
    "memo_recursion": (st.integers(0, 12), st.text("ab", max_size=5), st.text("ab", max_size=5), st.integers(-3, 15)),
    "hoist_invariant": (words, text, numbers, st.integers(0, 20)),
    "precompile_regex": (st.lists(text, max_size=5),),
    "set_membership": (words, numbers, numbers),
    "join": (pairs, words),
    "dict_lookup": (customers, orders, numbers, pairs),
    "single_pass": (numbers, words, st.integers(0, 5)),
    "priority_queue": (numbers, weighted),
    "deque_queue": (graph, numbers, st.integers(1, 4)),
    "counter": (words,),
    "count_lookup": (words, numbers),
    "ordered_unique": (words, numbers),
    "sorted_insert": (numbers, numbers),
    "comprehension": (numbers, words),
    "slots": (numbers,),
    "local_binding": (st.lists(st.tuples(finite, finite), max_size=8), numbers),
    "list_growth": (words,),
    "flatten": (st.lists(numbers, max_size=5), words),
    "cached_list": (text,),
    "index_lookup": (words, words),
    "common_call": (text, words),
    "cached_parse": (st.lists(st.datetimes().map(lambda day: day.strftime("%Y-%m-%d %H:%M")) | word, max_size=5),),
    "once_read": (words,),
    "char_filter": (text,),
    "prefix_sums": (numbers,),
    "builtin_loop": (numbers, words, word),
    "early_exit": (words, word),
    "dict_update": (words,),
    "sort_once": (numbers, numbers),
    "cached_attribute": (text, words),
    "direct_iteration": (numbers, words, st.dictionaries(word, number), st.integers(-2, 9)),
    "literal_regex": (text, st.lists(text, max_size=5)),
    "shallow_copy": (st.dictionaries(word, number), words),
    "key_getter": (
        st.lists(st.tuples(number, number), max_size=9),
        st.lists(st.complex_numbers(max_magnitude=9, allow_nan=False), max_size=9),
        words,
        text,
    ),
    "comparison_chain": (
        st.lists(st.sampled_from(["a.py", "b.pyi", ".pyx", "x", "sunday", ""]), max_size=6),
        st.lists(st.none() | number | finite | word, max_size=6),
    ),
    "drop_copy": (words,),
}


def sample(name: str, which: str) -> str:
    return (SAMPLES / name / f"{which}.py").read_text()


def everywhere(name: str, code: str) -> str:
    """The code with every site of a transformation applied, one after the other."""
    files = {"before.py": code}
    for _ in range(50):
        sites = find_sites(files, [name])
        if not sites:
            return files["before.py"]
        files = apply_site(files, sites[0])
    raise AssertionError(f"{name} finds no end")


def loaded(name: str, which: str) -> Any:
    path = SAMPLES / name / f"{which}.py"
    names: dict[str, Any] = {"__file__": str(path), "__name__": f"sample_{name}_{which}"}
    exec(compile(path.read_text(), str(path), "exec", dont_inherit=True), names)
    return names["run"]


def outcome(run: Any, arguments: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """What a call gives or raises, and its arguments afterwards."""
    mine = copy.deepcopy(arguments)
    try:
        return run(*mine), mine
    except Exception as error:  # noqa: BLE001 -- whatever it is, both must raise it
        return type(error), mine


def same(one: Any, other: Any) -> bool:
    """Equal, and of equal types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    return bool(one == other)


def test_there_is_a_sample_for_every_transformation():
    assert {path.name for path in SAMPLES.iterdir()} == set(NAMES) == set(INPUTS)
    assert all(len(each.claim) > 20 and "\n" not in each.claim for each in transformations().values())


@pytest.mark.parametrize("name", NAMES)
def test_it_writes_what_the_sample_says(name: str):
    assert everywhere(name, sample(name, "before")) == sample(name, "after")


@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_alone_what_would_change(name: str):
    assert find_sites({"refused.py": sample(name, "refused")}, [name]) == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_site_is_gone_once_it_is_applied(name: str):
    files = {"before.py": sample(name, "before")}
    sites = find_sites(files, [name])
    assert sites
    for site in sites:
        after = apply_site(files, site)
        assert after["before.py"] != files["before.py"]
        assert site.id not in {each.id for each in find_sites(after, [name])}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_other_line_ends_and_a_missing_last_one_are_kept(name: str, ending: str):
    code = sample(name, "before").rstrip("\n").replace("\n", ending)
    after = everywhere(name, code)
    assert ("\r\n" in after) == (ending == "\r\n")
    assert after.replace("\r\n", "\n").rstrip("\n") == sample(name, "after").rstrip("\n")
    compile(after, name, "exec", dont_inherit=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_code_behaves_as_before(name: str):
    before, after = loaded(name, "before"), loaded(name, "after")

    @settings(max_examples=60, deadline=None)
    @given(st.tuples(*INPUTS[name]))
    def check(arguments: tuple[Any, ...]) -> None:
        expected, got = outcome(before, arguments), outcome(after, arguments)
        assert same(got, expected)

    check()
