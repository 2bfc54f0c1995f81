"""All transformations one after the other on whole modules: the result still does what the module did."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.code.transformations.registry import apply_site, find_sites

MODULES = Path(__file__).parents[3] / "data" / "slow_modules"

WORDS = ("the", "The", "house,", "of", "houses.", "it's", "and", "an", "Ann", "banana!", "ban", "é", "12", "?")
sentence = st.lists(st.sampled_from(WORDS), max_size=20)
line = st.tuples(
    st.sampled_from(["10.0.0.1", "10.0.0.2", "h"]),
    st.datetimes().map(lambda day: f"{day:%Y-%m-%dT%H:%M}".rjust(16, "0")),
    st.sampled_from(["/A/b", "/a/x.err", "/c.bad", "/"]),
    st.integers(0, 30).map(str),
).map(" ".join) | st.sampled_from(["", "# note", "half a line", "h 2024-13-01T00:00 / 1"])

INPUTS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "text_statistics": (sentence.map(" ".join), sentence.map(" ".join)),
    "log_analysis": (
        st.lists(line, max_size=8),
        st.lists(
            st.fixed_dictionaries({"address": st.sampled_from(["10.0.0.1", "h", "z"]), "name": st.text(max_size=2)}),
            max_size=4,
        ),
        st.dictionaries(st.sampled_from("abcd"), st.lists(st.sampled_from("abcde"), max_size=4), max_size=4),
    ),
}


def chain(code: str, seed: int) -> tuple[str, list[str]]:
    """The code with sites applied in an order drawn by `seed` until none is left, and what was applied."""
    files, applied, draw = {"module.py": code}, [], random.Random(seed)
    while len(applied) < 80:
        sites = find_sites(files)
        if not sites:
            break
        site = draw.choice(sites)
        files = apply_site(files, site)
        applied.append(site.transformation)
    return files["module.py"], applied


def loaded(code: str) -> Any:
    names: dict[str, Any] = {"__name__": "module"}
    exec(compile(code, "module.py", "exec", dont_inherit=True), names)
    return names["run"]


def outcome(run: Any, arguments: tuple[Any, ...]) -> str:
    try:
        return repr(run(*arguments))
    except Exception as error:  # noqa: BLE001 -- whatever it is, both must raise it
        return type(error).__name__


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", INPUTS)
def test_any_order_ends_and_keeps_the_behaviour(name: str, seed: int):
    code = (MODULES / f"{name}.py").read_text()
    after, applied = chain(code, seed)
    assert 10 < len(applied) < 80
    assert len(set(applied)) > 6
    before, changed = loaded(code), loaded(after)

    @settings(max_examples=15, deadline=None)
    @given(st.tuples(*INPUTS[name]))
    def check(arguments: tuple[Any, ...]) -> None:
        assert outcome(changed, arguments) == outcome(before, arguments)

    check()
