"""Proposals: the same content has the same id, the body shows what it was given, and a secret stops it."""

from __future__ import annotations

import base64
import html
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agents.pull_requests import Evidence, PROrchestrator
from agents.pull_requests.wording import in_markdown, paragraphs, plain
from core.errors import ConfigError, SecretFoundError
from core.pull_requests import CodeChange, PRProposal

MADE = PROrchestrator("octo", "demo", environment={}, clock=lambda: 1.0)
CHANGE = {"file_path": "a.py", "original_content": "a\nb\nc\n", "new_content": "a\nB\nc\nd\n", "change_type": "update"}
EVIDENCE = {
    "tests": {"passed": 12, "failed": 1, "duration_s": 2.5, "command": "pytest -q"},
    "benchmarks": [
        {"name": "sort", "before": 2.0, "after": 1.0, "unit": "s", "low": -55.0, "high": -45.0},
        {"name": "parse", "before": 1.0, "after": 0.99, "unit": "s", "low": -4.0, "high": 2.0},
    ],
    "votes": [{"proposal_id": "p", "voter": "novelty", "score": 0.5, "confidence": 0.9, "reason": "far away"}],
    "risk": {"score": 0.25, "level": "low", "reason": "one file"},
}


def test_the_same_content_is_the_same_proposal_whenever_it_is_made() -> None:
    later = PROrchestrator(environment={}, clock=lambda: 99.0)
    one, other = (made.generate_proposal([CHANGE], "Title", "Why") for made in (MADE, later))
    assert (one.proposal_id, one.branch_name) == (other.proposal_id, other.branch_name)
    assert one.branch_name == f"aura-sicd/{one.proposal_id}"
    assert one.created_at != other.created_at
    assert PRProposal.model_validate_json(one.model_dump_json()) == one


def test_the_body_shows_changes_evidence_and_how_to_undo() -> None:
    body = MADE.generate_proposal([CHANGE], "Title", "Why.\n\nMore.", evidence=EVIDENCE).body
    for text in (
        "Why.\n\nMore.",
        "| <code>a.py</code> | update | +2 −1 |",
        "1 file, +2 −1 lines.",
        "12 passed, 1 failed, 0 skipped in 2.5 s (pytest -q)",
        "| sort | 2 s | 1 s | -50.0 % (-55.0 … -45.0 %) | better |",
        "| parse | 1 s | 0.99 s | -1.0 % (-4.0 … +2.0 %) | cannot tell |",
        "| novelty | +0.50 | 0.90 | far away |",
        "**Risk:** 0.25 of 1 (low): one file",
        "git revert",
    ):
        assert text in body, text
    assert "None was given" in MADE.generate_proposal([CHANGE], "Title", "Why").body


HOSTILE = (
    "fixes #1 and #8203;, closes octo/demo#2 and resolves GH-3; fixes https://github.com/octo/demo/issues/4 "
    "@octo/team @everyone <script>alert(1)</script> <!-- --> | [x](javascript:alert(1)) ![y](http://e.org/z) "
    "`code` **bold** www.example.org mailto:a@b.org ~~gone~~ $x$ &lt; ‮reversed \x1b[31m"
)


def test_nothing_of_others_is_obeyed() -> None:
    change = {**CHANGE, "file_path": "a|b`@octo#5<b>.py", "rationale": HOSTILE}
    evidence = {"notes": [HOSTILE], "risk": {"score": 0, "reason": HOSTILE}}
    lines = f"{HOSTILE}\n# heading\n- item\n1. item\n> quote\n    code\n===\n---\n```\n| a | b |"
    proposal = MADE.generate_proposal([change], HOSTILE, lines, evidence=evidence)
    shown = html.unescape(proposal.body)
    for text in (shown, proposal.title):
        assert not re.search(r"#\w|@\w|\bGH-\d|https?://\S", text, re.IGNORECASE)
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert not re.search(r"(?<!\\)[*`~$\[]", proposal.body.split("## Changes")[0].replace("## Summary", ""))
    assert "<script" not in proposal.body
    assert "www." not in shown
    # a table of four columns stays one, whatever stands in it
    [row] = [line for line in proposal.body.splitlines() if "update" in line and line.startswith("| <code>")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    summary = proposal.body.split("## Summary")[1].split("## Changes")[0]
    assert not re.search(r"^ *(#|- |\+ |\d+[.)] |>|```|===|---|\|)", summary, re.MULTILINE)


@settings(deadline=None)
@given(st.text())
def test_markdown_of_any_text_is_one_line_that_refers_to_nothing(text: str) -> None:
    line = in_markdown(text)
    assert "\n" not in line
    shown = html.unescape(line)
    assert not re.search(r"[#@][A-Za-z0-9]|://", shown)
    assert "<" not in line
    assert "\n\n\n" not in paragraphs(text)
    assert not re.search(r"[#@]\w|://\S", plain(text))


MARKED = st.text(st.sampled_from("#*_-+`~|[]()<>!&\\\"'.:/=$^{}1 \tab\nx@"))


@settings(deadline=None)
@given(st.text() | MARKED)
def test_a_parser_of_markdown_reads_nothing_but_text(text: str) -> None:
    """markdown-it, with tables and strikethrough, gives back the very text, in paragraphs and nothing else."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for made in (in_markdown(text), paragraphs(text)):
        rendered = parser.render(made)
        assert set(re.findall(r"</?([a-z0-9]+)", rendered)) <= {"p", "br"}
        read = html.unescape(re.sub(r"<[^>]*>", " ", rendered)).replace("\u200b", "")
        if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
            assert read.split() == text.split()
    cell = parser.render(f"| a | b |\n| --- | --- |\n| {in_markdown(text)} | end |\n")
    assert cell.count("<td>") == 2


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 400), st.integers(0, 3000), st.sampled_from(["x", "#", "@", "𝕏", "<", "|"]))
def test_the_body_is_never_longer_than_github_takes(files: int, length: int, char: str) -> None:
    changes = [
        {"file_path": f"{n}/" + "p" * 200, "new_content": "1\n", "change_type": "create", "rationale": char * length}
        for n in range(files)
    ]
    evidence = {"notes": [char * length] * 50, "votes": EVIDENCE["votes"]}
    body = MADE.generate_proposal(changes, "T", char * 20 * length or "w", evidence=evidence).body
    assert len(body.encode("utf-16-le")) // 2 <= 65_536
    assert "How to undo" in body


SECRET = "ghp_" + "Ab3d" * 9


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"new_content": f"x = 1\ny = '{SECRET}'\n"}, "a.py line 2"),
        ({"new_content": b"\x00\xff" + SECRET.encode()}, "a.py line 1"),
        ({"new_content": base64.b64encode(f"it is {SECRET}".encode()).decode()}, "a.py line 1"),
        ({"rationale": f"as {SECRET} was there"}, "the rationale of a.py line 1"),
        ({"file_path": f"{SECRET}.py"}, "the path of change 1 line 1"),
    ],
)
def test_a_secret_stops_the_proposal_and_is_not_repeated(change: dict[str, Any], place: str) -> None:
    with pytest.raises(SecretFoundError) as caught:
        MADE.generate_proposal([{**CHANGE, **change}], "Title", "Why")
    assert any(one.startswith(place) for one in caught.value.places)
    assert SECRET not in str(caught.value) + repr(caught.value.places)


def test_a_secret_of_this_machine_stops_it_whatever_it_looks_like() -> None:
    made = PROrchestrator(environment={"DEPLOY_PASSWORD": "just plain words"})
    with pytest.raises(SecretFoundError, match="this machine"):
        made.generate_proposal([{**CHANGE, "new_content": "# just plain words\n"}], "Title", "Why")
    for texts in ({"title": "just plain words"}, {"description": "just plain words"}):
        with pytest.raises(SecretFoundError):
            made.generate_proposal([CHANGE], **{"title": "t", "description": "d", **texts})


def test_what_is_no_change_is_one_clear_error() -> None:
    with pytest.raises(ConfigError, match="change_type"):
        MADE.generate_proposal([{**CHANGE, "change_type": "move"}], "Title", "Why")
    with pytest.raises(ConfigError, match="unknown key 'test'"):
        MADE.generate_proposal([CHANGE], "Title", "Why", evidence={"test": 1})
    with pytest.raises(ConfigError, match="title"):
        MADE.generate_proposal([CHANGE], "", "Why")
    with pytest.raises(ConfigError, match="changed twice"):
        MADE.generate_proposal([CHANGE, CHANGE], "Title", "Why")
    with pytest.raises(ConfigError, match="the body has"):
        MADE.generate_proposal([CHANGE], "Title", "Why", body="x" * 65_537)
    assert isinstance(Evidence.model_validate(EVIDENCE), Evidence)
    assert CodeChange.model_validate(CHANGE).rationale == ""
