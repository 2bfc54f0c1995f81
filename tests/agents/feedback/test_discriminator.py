"""The discriminator: a true comment beats every spoiled copy of itself, for the reason that was spoiled."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.feedback.discriminator import judge_annotation, score_annotation
from agents.feedback.facts import function_facts
from agents.feedback.returns import claimed_kinds, raise_claim, return_claim
from agents.feedback.words import identifier_parts, sentences, stem

SOURCE = textwrap.dedent(
    """
    def rotate_logs(folder, keep=5, *, suffix=".log"):
        if keep < 1:
            raise ValueError(f"keep must be positive, not {keep}")
        paths = sorted(folder.glob("*" + suffix))
        removed = []
        for path in paths[:-keep]:
            path.unlink()
            removed.append(path)
        return removed
    """
)
GOOD: dict[str, Any] = {
    "summary": "Delete the oldest log files of a folder so that only the newest ones stay.",
    "details": "Files are ordered by name, hence dates in the names must sort like text.",
    "params": [
        {"name": "folder", "type": "Path", "description": "where the log files lie"},
        {"name": "keep", "type": "int", "description": "how many files survive. Defaults to 5."},
        {"name": "suffix", "type": "str", "description": "ending of the files that count"},
    ],
    "returns": {"type": "list", "description": "The deleted paths."},
    "raises": [{"type": "ValueError", "description": "if keep is below one"}],
}


def changed(**parts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(GOOD), **parts}


def spoiled_param() -> dict[str, Any]:
    annotation = copy.deepcopy(GOOD)
    annotation["params"][0]["name"] = "n_jobs"
    return annotation


def spoiled_default() -> dict[str, Any]:
    annotation = copy.deepcopy(GOOD)
    annotation["params"][1]["description"] = "how many files survive. Defaults to 10."
    return annotation


SPOILED = {
    "wrong parameter": (spoiled_param(), "contradicted_param"),
    "wrong default": (spoiled_default(), "contradicted_default"),
    "claims None": (changed(returns={"type": "None", "description": "Nothing."}), "contradicted_return"),
    "claims a dict": (changed(returns={"type": "dict", "description": "names to sizes"}), "contradicted_return"),
    "claims an exception": (changed(raises=[{"type": "ZeroDivisionError", "description": ""}]), "unsupported_raise"),
    "swapped": (
        changed(summary="Send an e-mail to all subscribers.", details="The server must accept the login."),
        "summary",
    ),
    "vague": (changed(summary="This function performs various tasks as needed.", details=""), "vague"),
    "echo": (
        changed(summary="paths = sorted(folder.glob('*' + suffix)); removed = []", details="path.unlink();"),
        "echo",
    ),
    "negated": (changed(summary="Does not rotate the logs of a folder."), "contradicted_summary"),
    "repeated": (changed(details=" ".join([GOOD["summary"]] * 3)), None),
    "empty": (changed(summary="", details=""), "empty"),
    "pure": (changed(details="It never raises and keeps the newest files."), "contradicted_absence"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_copy_scores_lower_and_says_why(name: str):
    annotation, kind = SPOILED[name]
    good, bad = judge_annotation(SOURCE, GOOD), judge_annotation(SOURCE, annotation)
    assert bad.reward < 0.7 * good.reward
    if kind is not None:
        issue = next(issue for issue in bad.issues if issue.kind == kind)
        assert issue.evidence
        assert issue.fix
        assert 1 <= issue.line <= SOURCE.count("\n")


def test_the_good_comment_has_no_issue_that_costs():
    score = judge_annotation(SOURCE, GOOD)
    assert score.reward > 0.6
    assert [issue.kind for issue in score.issues if issue.weight > 0.5] == []
    assert {claim.status for claim in score.claims} == {"supported"}


def test_a_true_return_neither_buys_nor_costs():
    without = changed(returns=None)
    assert score_annotation(SOURCE, without) == score_annotation(SOURCE, GOOD)


def test_one_contradiction_cannot_be_bought_off_by_more_true_claims():
    lie = changed(returns={"type": "None", "description": "Nothing."}, params=[], raises=[])
    lie_with_truth = changed(returns={"type": "None", "description": "Nothing."})
    assert score_annotation(SOURCE, lie_with_truth) < 0.1
    assert score_annotation(SOURCE, lie) < 0.1


def test_entries_alone_are_worth_something_while_they_are_true():
    source = "def keep(count, folder=None):\n    return store(folder or HOME, count)\n"

    def reward(name: str) -> float:
        return score_annotation(source, {"params": [{"name": name, "description": "how many to keep"}]})

    assert reward("count") > 10 * reward("size") > 0
    assert score_annotation(source, {"params": [{"name": "count"}]}) == 0.0


def test_length_earns_nothing():
    longer = changed(details=GOOD["details"] + " " + " ".join(f"Note {n} is about log files too." for n in range(30)))
    assert score_annotation(SOURCE, longer) <= score_annotation(SOURCE, GOOD) * 1.02


def test_exceptions_of_callees_are_not_held_against_a_comment():
    facts = function_facts("def f(path):\n    return load(path)\n")
    assert facts is not None
    assert raise_claim(facts, {"type": "FileNotFoundError"}, "def f(path): return load(path)").status == "unverifiable"


@pytest.mark.parametrize(
    ("source", "claimed", "status"),
    [
        ("def f():\n    yield 1\n", "list", "contradicted"),
        ("def f():\n    yield 1\n", "generator", "supported"),
        ("def f(x):\n    return x.y()\n", "int", "unverifiable"),
        ("def f() -> str:\n    return g()\n", "int", "contradicted"),
        ("def f() -> str | None:\n    return g()\n", "str or None", "supported"),
        ("def f():\n    print(1)\n", "None", "supported"),
        ("def f():\n    print(1)\n", "int", "contradicted"),
        ("def f():\n    raise NotImplementedError\n", "int", "unverifiable"),
        ("@cached\ndef f():\n    return 1\n", "str", "unverifiable"),
        ("def f(x):\n    return not x\n", "bool", "supported"),
    ],
)
def test_return_claims(source: str, claimed: str, status: str):
    facts = function_facts(source)
    assert facts is not None
    claim = return_claim(facts, {"type": claimed, "description": ""})
    assert claim is not None
    assert claim.status == status


@pytest.mark.parametrize(
    "returned",
    [
        {"type": None, "description": "None if it is missing, else the value."},
        {"type": "``None``, :class:`a.b.Location` or a list of them.", "description": ""},
        {"type": "None or Location", "description": ""},
    ],
)
def test_a_return_that_may_be_none_does_not_claim_that_it_always_is(returned: dict[str, Any]):
    facts = function_facts("def f(x):\n    return g(x)\n")
    assert facts is not None
    claim = return_claim(facts, returned)
    assert claim is not None
    assert claim.status == "unverifiable"


def test_an_alias_may_name_a_callable():
    facts = function_facts("def f(x) -> Transformer:\n    return cast(Transformer, g(x))\n")
    assert facts is not None
    claim = return_claim(facts, {"type": "callable"})
    assert claim is not None
    assert claim.status == "unverifiable"


def test_several_strange_names_are_what_the_keywords_are_passed_on_to():
    source = "def plot(data, **kwargs):\n    return draw(data, **kwargs)\n"

    def status(*names: str) -> list[str]:
        params = [{"name": name, "description": "one"} for name in ("data", *names)]
        score = judge_annotation(source, {"summary": "Plot the data.", "params": params})
        return [claim.status for claim in score.claims if claim.text in names]

    assert status("colour", "width") == ["unverifiable", "unverifiable"]
    assert status("colour") == ["unsupported"]


def test_types_that_are_no_builtins_are_not_compared():
    assert claimed_kinds("ndarray of shape (n,)") == frozenset()
    assert claimed_kinds("list of str or None") == {"list"}
    assert claimed_kinds("str | None") == {"str", "None"}


@pytest.mark.parametrize("source", ["", "x = 1", "def (", "\x00", "class A: pass"])
def test_a_source_without_a_function_scores_zero(source: str):
    assert judge_annotation(source, GOOD).reward == 0.0


@pytest.mark.parametrize(
    "annotation",
    [
        {},
        {"summary": None, "params": None},
        {"summary": "Keep logs.", "params": [None, 3], "returns": "x", "raises": {}},
        {"summary": "Keep logs.", "details": "See ``**options`` and ``a*``."},
        {"summary": 5, "params": [{"name": {}, "description": []}], "raises": [{"type": 3}]},
        None,
        [],
        "Keep logs.",
    ],
)
def test_odd_annotations_are_scored_not_refused(annotation: Any):
    assert 0.0 <= score_annotation(SOURCE, annotation) <= 1.0


@pytest.mark.parametrize("source", [None, 5, b"def f(): pass", ["def f(): pass"]])
def test_odd_sources_are_scored_not_refused(source: Any):
    assert score_annotation(source, GOOD) == 0.0


def test_time_does_not_grow_with_what_is_pasted_in():
    huge = "word " * 100_000
    entries = [{"name": f"p{i}", "type": "\n" * 100_000, "description": huge} for i in range(3_000)]
    annotation = {"summary": huge, "details": "`" * 100_000, "params": entries, "raises": entries}
    started = time.process_time()
    score_annotation(SOURCE, {**annotation, "returns": entries[0]})
    assert time.process_time() - started < 5


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=20))
def test_the_reward_is_a_share_and_deterministic(summary: str, details: str, name: str):
    annotation = {
        "summary": summary,
        "details": details,
        "params": [{"name": name, "type": None, "description": details}],
    }
    one, other = score_annotation(SOURCE, annotation), score_annotation(SOURCE, annotation)
    assert one == other
    assert 0.0 <= one <= 1.0


def test_words_are_brought_to_one_form():
    assert len({stem(word) for word in ("create", "creates", "created", "creating", "creation", "creator")}) == 1
    assert identifier_parts("HTTPServer_startAll2") == ("http", "server", "start", "all")
    assert sentences("Reads a file. Then `closes` it.") == ["Reads a file.", "Then `closes` it."]


SEEDED = """
import sys
from agents.feedback.loop import CodeFeedbackLoop

code = sys.stdin.read()
for issue in CodeFeedbackLoop().run_iteration("m.py", code).discriminator_score.issues:
    print(issue.model_dump_json())
"""


def test_words_come_in_the_same_order_whatever_python_hashes_them_to() -> None:
    """They go into the next prompt, and a recording knows a prompt by its text."""
    code = 'def add(a, b):\n    """Return the sum."""\n    return a + b\n'
    told = {
        subprocess.run(
            [sys.executable, "-c", SEEDED], input=code, env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
        ).stdout
        for seed in ("1", "4")
    }  # fmt: skip
    assert len(told) == 1
    assert "least expected" in told.pop()
