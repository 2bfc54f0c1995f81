"""A corpus of answers as models give them, and what is made of each; no text raises anything."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from calls import Judgement
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from runtime.models.answers import MAX_CHARACTERS, Parsed, parse_answer

CORPUS = Path(__file__).parents[2] / "data" / "model_answers"
"""Each file: `# ok {the answer}` or `# fault words of the fault` on the first line, the answer from the second on."""


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.txt")), ids=lambda file: file.stem)
def test_corpus(file: Path) -> None:
    expected, _, text = file.read_bytes().decode("utf-8", "surrogatepass").partition("\n")
    parsed = parse_answer(text.removesuffix("\n"), Judgement)
    _, kind, told = expected.split(" ", 2)
    if kind == "ok":
        assert parsed.value == Judgement(**json.loads(told)), parsed.faults
        assert not parsed.faults
    else:
        assert parsed.value is None
        assert told in " ".join(parsed.faults)
        assert all(fault.endswith(".") and "\n" not in fault for fault in parsed.faults)


def test_the_corpus_is_there() -> None:
    assert len(list(CORPUS.glob("*.txt"))) >= 35


PIECES = st.sampled_from(
    ['{', '}', '[', ']', '"', '\\', ',', ':', '```json', '<think>', '</think>', '"score"', '"reason"', '1e999', 'NaN',
     '-', '\ufeff', '\x00', '\ud800', '\\ud800', ' ', '\n', 'null', '{"score": 0.5, "reason": "x"}', 'ok', '9' * 5000]
)  # fmt: skip


@settings(max_examples=300)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join)))
def test_no_text_raises_and_there_is_a_value_or_a_fault(text: str) -> None:
    parsed = parse_answer(text, Judgement)
    assert isinstance(parsed, Parsed)
    assert (parsed.value is None) == bool(parsed.faults)
    " ".join(parsed.faults).encode()
    if parsed.value is not None:
        parsed.value.model_dump_json().encode()


@given(
    st.builds(Judgement, score=st.floats(-1, 1), reason=st.text(), tags=st.lists(st.text(), max_size=3)),
    st.sampled_from(["{}", "```json\n{}\n```", "<think>hm {{</think>\n{}", "Here: {}\nHope that helps!", "\ufeff{}"]),
)
def test_what_a_model_means_is_what_is_read(answer: Judgement, frame: str) -> None:
    text = frame.replace("{}", json.dumps(answer.model_dump()), 1).replace("{{", "{")
    read = parse_answer(text, Judgement).value
    assert read is not None
    assert read.score == answer.score
    shown = "".join(c for c in answer.reason if c in "\t\n" or (ord(c) >= 32 and c != "\x7f"))
    assert read.reason == shown.replace("\ufeff", "")


@pytest.mark.parametrize(
    "text",
    [
        "{" * MAX_CHARACTERS,
        '{"' * (MAX_CHARACTERS // 2),
        '[\\"' * (MAX_CHARACTERS // 3),
        '{"a": ' * (MAX_CHARACTERS // 6),
        '\\"' * (MAX_CHARACTERS // 2),
        "<think></think>" * (MAX_CHARACTERS // 15),
        "</think>" * (MAX_CHARACTERS // 8),
        "{}," * (MAX_CHARACTERS // 3),
        "{ " * (MAX_CHARACTERS // 2),
        '{"a":1' + "," * (MAX_CHARACTERS - 20) + "}",
        '{"score": 1' + "0" * (MAX_CHARACTERS - 20) + "}",
        "[" * 100_000 + "]" * 100_000,
    ],
    ids=lambda text: text[:8],
)
def test_hostile_texts_take_no_time(text: str) -> None:
    began = time.process_time()
    assert parse_answer(text, Judgement).faults
    assert time.process_time() - began < 2


def test_a_flood_is_not_read() -> None:
    assert "characters" in parse_answer("x" * (MAX_CHARACTERS + 1), Judgement).faults[0]


def test_an_answer_that_was_cut_says_so() -> None:
    assert "cut off" in parse_answer("I think that", Judgement, cut=True).faults[0]


def test_a_validator_may_raise_whatever_it_likes() -> None:
    class Odd(BaseModel):
        x: int

        @field_validator("x")
        @classmethod
        def _odd(cls, value: int) -> int:
            raise ZeroDivisionError("odd")

    assert "ZeroDivisionError" in parse_answer('{"x": 1}', Odd).faults[0]
