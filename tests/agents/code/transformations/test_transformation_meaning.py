"""Legal programs that a careless transformation would change: whatever is done to them, they give what they gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.code.transformations.registry import apply_site, find_sites

PROGRAMS = sorted((Path(__file__).parents[3] / "data" / "meaning").glob("*.py"))


def outcome(code: str) -> str:
    names: dict[str, Any] = {"__name__": "program"}
    try:
        exec(compile(code, "program.py", "exec", dont_inherit=True), names)
        return repr(names["main"]())
    except Exception as error:  # noqa: BLE001 -- whatever it is, it must stay the same
        return type(error).__name__


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_no_site_changes_what_the_program_gives(path: Path):
    code = path.read_text()
    expected = outcome(code)
    assert not expected.endswith("Error")
    for site in find_sites({"program.py": code}):
        changed = apply_site({"program.py": code}, site)["program.py"]
        assert outcome(changed) == expected, f"{site.transformation}: {site.description}"


LOOP = "def f(xs: list[float], ys: list[float]):\n    out = 0\n    for x in xs:\n"
CONDITIONS = {
    "dict_lookup": (
        LOOP + "        for y in ys:\n            if y == x:\n                out += 1\n    return out\n",
        "NaN",
    ),
    "sorted_insert": (
        "def f(words, v):\n    xs = sorted([len(word) for word in words])\n    i = 0\n"
        "    while i < len(xs) and xs[i] <= v:\n        i += 1\n    return i\n",
        "NaN",
    ),
    "builtin_loop": (
        "def f(y):\n    for x in {1, 2}:\n        if x == y:\n            return True\n    return False\n",
        "hashed",
    ),
    "set_membership": (
        "STOP = ['a', 'b', 'c', 'd']\n\ndef f(words: list[str]):\n    return [w for w in words if w in STOP]\n",
        "no other module changes `STOP`",
    ),
    "cache_pure": (
        "RATE = 2\n\ndef price(p: tuple[float, ...]) -> float:\n    total = 0.0\n    for x in p:\n"
        "        total += x * RATE\n    return total\n\ndef f(ps):\n    return [price(p) for p in ps]\n",
        "0.0 and -0.0 may share a result; 1, 1.0 and True in a tuple may share a result; no other module changes",
    ),
    "dict_update": (
        "def f(d: dict, k: str):\n    if k in d:\n        d[k] += 1\n    else:\n        d[k] = 1\n",
        "the counts are numbers",
    ),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_site_names_the_condition_it_rests_on(name: str):
    code, condition = CONDITIONS[name]
    (site,) = find_sites({"a.py": code}, [name])
    assert site.confidence == "assumed"
    assert condition in site.note
