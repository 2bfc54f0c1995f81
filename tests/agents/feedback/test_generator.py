"""Generated comments rest on facts, follow directives, and stay partial where the file is."""

from __future__ import annotations

import textwrap

import pytest

from agents.feedback.file_score import score_comments
from agents.feedback.generator import generate
from agents.feedback.records import CodeComments, Directive
from core.errors import ConfigError

CODE = textwrap.dedent(
    '''
    """Keeps a cache."""
    import os


    class Cache(dict):
        def put_item(self, key, value: int, *, force=False):
            if key is None:
                raise ValueError("no key")
            # TODO: evict
            self[key] = value
            return len(self)

        def plain(self):
            return self.x


    def load_config(path):
        """Load the settings from disk.

        Args:
            pth: where it lies.
            path: which file.
        """
        try:
            return open(path).read()
        except OSError:
            pass
    '''
)


def texts(comments: CodeComments, name: str, topic: str) -> list[str]:
    summary = next(each for each in comments.summaries if each.name == name)
    return [each.text for each in summary.statements if each.topic == topic]


def test_statements_carry_their_source_and_lines():
    comments = generate("cache.py", CODE)
    lines = CODE.split("\n")
    for summary in comments.summaries:
        for each in summary.statements:
            assert 1 <= each.line <= each.end_line <= len(lines)
            assert each.source in ("fact", "docstring", "inferred")
    raises = next(s for s in comments.summaries if s.name == "Cache.put_item").statements
    line = next(each.line for each in raises if each.topic == "raises")
    assert lines[line - 1].strip().startswith("raise ValueError")


def test_a_docstring_is_reused_and_its_contradiction_reported():
    comments = generate("cache.py", CODE)
    assert texts(comments, "load_config", "purpose") == ["Load the settings from disk."]
    assert "'pth'" in texts(comments, "load_config", "defect")[0]


def test_absence_is_never_claimed():
    comments = generate("cache.py", CODE, [Directive(name=n) for n in ("effects", "raises", "invariants")])
    said = " ".join(each.text for summary in comments.summaries for each in summary.statements).lower()
    for phrase in ("no side effect", "never raises", "does not raise", "raises nothing", "pure"):
        assert phrase not in said


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("if x:\n        return []\n    return g(x)", "Returns a value at 2 places."),
        ("with x:\n        return x.read()", "Returns `x.read()`."),
        ("if x:\n        return []", "Returns list, or None."),
        ("if x:\n        return None\n    return g(x)", "Returns `g(x)`, or None."),
    ],
)
def test_a_return_is_told_as_far_as_it_is_proven(body: str, says: str):
    assert texts(generate("m.py", f"def f(x):\n    {body}\n"), "f", "returns") == [says]


def test_a_special_method_is_not_read_as_words():
    comments = generate(
        "m.py", "class A:\n    def __aexit__(self, *e): return e is x\n    def __lt__(self, b): return x\n"
    )
    assert texts(comments, "A.__aexit__", "purpose") == ["Leave the asynchronous context of A from `e`."]
    assert texts(comments, "A.__lt__", "purpose") == ["Implement `__lt__` of A for `b`."]


def test_a_context_manager_does_not_yield_results():
    comments = generate("m.py", "@contextmanager\ndef opened(x):\n    yield x\n")
    assert texts(comments, "opened", "returns") == ["Gives a context manager."]
    assert texts(comments, "opened", "purpose") == ["Manage the context of the opened for `x`."]


@pytest.mark.parametrize(
    ("directive", "topic", "has"),
    [("types", "types", "`key`"), ("todo", "todo", "evict"), ("invariants", "invariants", "key is None")],
)
def test_a_directive_adds_its_topic(directive: str, topic: str, has: str):
    before = generate("cache.py", CODE)
    after = generate("cache.py", CODE, [Directive(name=directive)])
    assert texts(before, "Cache.put_item", topic) == []
    assert has in " ".join(texts(after, "Cache.put_item", topic))


def test_a_negated_directive_removes_its_topic():
    after = generate("cache.py", CODE, [Directive(name="params", wanted=False)])
    assert texts(after, "Cache.put_item", "params") == []


def test_lines_do_not_restate_code():
    comments = generate("cache.py", CODE)
    assert [(each.line, each.text) for each in comments.lines] == [
        (CODE.split("\n").index("    except OSError:") + 1, "OSError is swallowed here.")
    ]


def test_a_broken_file_gives_a_partial_result_that_says_so():
    comments = generate("broken.py", "def good(a):\n    return a\n\ndef bad(:\n    pass\n")
    assert any(each.name == "good" for each in comments.summaries)
    assert comments.partial
    assert "do not parse" in comments.notes[0]


def test_an_empty_file_says_so():
    assert generate("empty.py", "").notes == ("the file is empty",)


def test_another_language_is_refused():
    with pytest.raises(ConfigError, match="TypeScript"):
        generate("app.ts", "let x = 1")


def test_a_file_of_twenty_thousand_lines_is_commented_whole():
    block = "def f{0}(a, b=1):\n    if a:\n        raise ValueError(b)\n    total = a\n    return [total]\n"
    code = "".join(block.format(n) for n in range(4000))
    comments = generate("big.py", code)
    assert len([each for each in comments.summaries if each.scope == "function"]) == 4000


def test_the_score_of_a_file_falls_when_a_comment_lies():
    comments = generate("cache.py", CODE, [Directive(name="types")])
    honest = score_comments(CODE, comments)
    summaries = []
    for each in comments.summaries:
        if each.name == "Cache.put_item":
            lie = {**each.annotation, "returns": {"type": "None", "description": "Nothing."}}
            each = each.model_copy(update={"annotation": lie})
        summaries.append(each)
    lying = score_comments(CODE, comments.model_copy(update={"summaries": tuple(summaries)}))
    assert lying.reward < honest.reward
    assert any(issue.kind == "contradicted_return" for issue in lying.issues)
    silent = score_comments(CODE, comments.model_copy(update={"summaries": ()}))
    assert silent.reward < lying.reward
