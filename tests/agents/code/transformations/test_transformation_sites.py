"""Finding and applying: ids that outlive moved lines, layouts that cannot be written, names with other meanings."""

from __future__ import annotations

import textwrap

import pytest

from agents.code.transformations.registry import apply_site, find_sites, transformations
from core.errors import ConfigError, NotFoundError


def code(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


LOOP = code(
    """
    def kept(words: list[str], stop: list[str]) -> list[str]:
        out = []
        for word in words:
            if word not in stop:
                out.append(word)
        return out
    """
)


def test_an_id_outlives_moved_lines_and_layout_and_differs_between_places():
    sites = find_sites({"a.py": LOOP})
    moved = find_sites({"a.py": f'"""Doc."""\n\nimport os\n\n\n{LOOP.replace("in words:", "in words:  # each")}'})
    assert [site.id for site in sites] == [site.id for site in moved]
    assert [site.line for site in sites] != [site.line for site in moved]
    assert len({site.id for site in sites}) == len(sites) > 1
    assert not {site.id for site in find_sites({"b.py": LOOP})} & {site.id for site in sites}


def test_a_site_tells_where_it_is_and_on_what_it_rests():
    (site,) = find_sites({"a.py": LOOP}, ["set_membership"])
    assert (site.path, site.line, site.qualname, site.transformation) == ("a.py", 4, "kept", "set_membership")
    assert "stop" in site.description
    assert site.confidence == "assumed"
    assert "annotations" in site.note
    (exact,) = find_sites({"a.py": "import re\n\n\ndef f(s):\n    return re.search('a+', s)\n"}, ["precompile_regex"])
    assert (exact.confidence, exact.note) == ("exact", "")


def test_sites_are_found_in_all_files_and_one_is_applied_to_its_own():
    files = {"a.py": LOOP, "b/c.py": LOOP, "notes.txt": LOOP, "broken.py": "def f(:\n", "empty.py": ""}
    sites = find_sites(files, ["set_membership"])
    assert [site.path for site in sites] == ["a.py", "b/c.py"]
    after = apply_site(files, sites[1])
    assert {path for path in files if after[path] != files[path]} == {"b/c.py"}
    assert files["b/c.py"] == LOOP


def test_what_is_wrong_is_told():
    with pytest.raises(NotFoundError, match="no transformation 'set_member'") as unknown:
        find_sites({}, ["set_member"])
    assert "set_membership" in unknown.value.hint
    (site,) = find_sites({"a.py": LOOP}, ["set_membership"])
    with pytest.raises(NotFoundError, match="no file"):
        apply_site({}, site)
    with pytest.raises(ConfigError, match="no such place any more") as gone:
        apply_site({"a.py": LOOP.replace("stop", "halt")}, site)
    assert "a.py, kept" in str(gone.value)
    with pytest.raises(ConfigError, match="not Python"):
        apply_site({"a.py": "def f(:\n"}, site)


def test_equal_places_of_one_function_are_one_site():
    text = code(
        """
        def f(kind: str, other: str):
            if kind in ("a", "b", "c", "d"):
                return 1
            return kind in ("a", "b", "c", "d")
        """
    )
    (site,) = find_sites({"a.py": text}, ["set_membership"])
    assert apply_site({"a.py": text}, site)["a.py"].count("{") == 2


@pytest.mark.parametrize(
    "text",
    [
        "def f(words: list[str], stop: list[str]):\n    for w in words: print(w in stop); print(w)\n    return\n",
        "def f(words: list[str], stop: list[str]):\n    x = 1; y = [w for w in words if w in stop]\n    return x, y\n",
        "def f(words: list[str], stop: list[str]): return [w for w in words if w in stop]\n",
        "def f(words: list[str], stop: list[str]):\n    if words:\n        pass\n"
        "    elif [w for w in words if w in stop]:\n        pass\n",
        "def f(words: list[str], stop: list[str]):\n    return f'{[w for w in words if w in stop]}'\n",
        "def f(words: list[str], stop: list[str]):\n    if words: \\\n    return [w for w in words if w in stop]\n",
    ],
)
def test_a_line_that_cannot_take_another_before_it_is_left_alone(text: str):
    for site in find_sites({"a.py": text}, ["set_membership"]):
        compile(apply_site({"a.py": text}, site)["a.py"], "a.py", "exec")
    if not text.startswith("def f(words: list[str], stop: list[str]):\n    for"):
        assert find_sites({"a.py": text}, ["set_membership"]) == ()


def test_an_import_goes_behind_the_docstring_and_the_future_and_uses_what_is_there():
    body = "\n\ndef f(n: int) -> int:\n    return f(n - 1) + f(n - 2) if n > 1 else n\n"

    def after(head: str) -> str:
        files = {"a.py": head + body}
        (site,) = find_sites(files, ["memo_recursion"])
        return apply_site(files, site)["a.py"]

    head = '#!/usr/bin/env python\n"""Doc."""\n\nfrom __future__ import annotations\n\nimport abc\nimport os\n'
    assert "import abc\nimport functools\nimport os\n" in after(head)
    assert "@lru_cache(maxsize=None, typed=True)" in after("from functools import lru_cache\n")
    assert "@tools.lru_cache(" in after("import functools as tools\n")
    assert after('"""Doc."""\n').startswith('"""Doc."""\n\nimport functools\n')
    assert after("").lstrip().startswith("import functools\n")


def test_a_module_name_that_means_something_else_stops_the_transformation():
    body = "\n\ndef f(n: int) -> int:\n    return f(n - 1) + f(n - 2) if n > 1 else n\n"
    for head in ("functools = None\n", "from mine import functools\n", "from mine import *\n"):
        assert find_sites({"a.py": head + body}, ["memo_recursion"]) == ()


def test_fresh_names_are_fresh():
    text = LOOP.replace("out", "stop_set")
    (site,) = find_sites({"a.py": text}, ["set_membership"])
    assert "stop_set_2 = set(stop)" in apply_site({"a.py": text}, site)["a.py"]


def test_tabs_wide_characters_and_comments_stay():
    text = "def größe(wörter: list[str], ende: list[str]):\n\tfür = 'ä€😀'\n\tfor w in wörter:  # über alle\n"
    text += "\t\tif w in ende: print(für, 'é', w)\n"
    (site,) = find_sites({"a.py": text}, ["set_membership"])
    after = apply_site({"a.py": text}, site)["a.py"]
    assert after == text.replace("\tfor w", "\tende_set = set(ende)\n\tfor w").replace("w in ende:", "w in ende_set:")


@pytest.mark.parametrize("word", ["set", "sorted", "len", "range"])
def test_a_shadowed_builtin_is_no_builtin(word: str):
    text = LOOP + f"\n\ndef {word}(x):\n    return x\n" + "\n\ndef g(xs: list[int]):\n    return sorted(xs)[0]\n"
    names = {site.transformation for site in find_sites({"a.py": text})}
    assert ("set_membership" in names) == (word != "set")
    assert ("single_pass" in names) == (word != "sorted")


def test_every_transformation_keeps_its_word_about_code_it_cannot_follow():
    deep = "x = " + "(" * 80 + "1" + ")" * 80 + "\n"
    long = "def f(a):\n    return " + " + ".join(["a"] * 1500) + "\n"
    odd = code(
        """
        match command.split():
            case [first, *rest] if (n := len(rest)) > 2: pass
            case {"a": 1, **others}: pass
            case _: pass
        async def f(*a, b=lambda x: (yield), **c):
            async with a as (d, *e), b: pass
            return [z async for z in a if await z]
        class C[T] if False else object: pass
        """
    ).replace("class C[T] if False else object: pass\n", "class C(object): x: int = 1; y = x\n")
    for name, rule in transformations().items():
        for text in (deep, long, odd):
            assert isinstance(find_sites({"a.py": text}, [name]), tuple), rule.claim
