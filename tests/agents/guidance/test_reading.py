"""What sentences mean: a corpus with its expected meanings, and what holds for any text at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vocabularies import NET, VOCABULARIES

from agents.guidance.reading import Reading, conflict, read
from core.guidance import Meaning
from search.parameters import Float, Int

HERE = Path(__file__).parent


def corpus(name: str) -> list[tuple[str, str, str]]:
    """(vocabulary, sentence, expected) of every line."""
    told: list[tuple[str, str, str]] = []
    vocabulary = ""
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("@"):
            vocabulary = line[1:].strip()
        elif line and not line.startswith("#"):
            sentence, _, expected = line.partition(" => ")
            told.append((vocabulary, sentence, expected))
    return told


def written(reading: Reading) -> set[str]:
    """A reading as the corpus writes it; `?` stands for all that is not understood."""
    return {*map(_written, reading.meanings), *(["?"] if reading.unread else [])}


def _written(m: Meaning) -> str:
    match m.kind:
        case "mode":
            return f"mode {m.mode}"
        case "focus":
            return f"focus {m.target}={m.name}"
        case "preference" if m.toward:
            return f"prefer {m.name} {m.toward}"
        case "preference" if m.low is not None or m.high is not None:
            return f"prefer {m.name} {_interval(m)}"
        case "bound":
            return f"{m.name} {_interval(m)}"
        case "exclusion" if m.low is not None:
            return f"avoid {m.name} {_interval(m)}"
        case _:
            word = "avoid" if m.kind == "exclusion" else "prefer"
            if m.target == "parameter":
                return f"{word} {m.name}={','.join(map(str, m.options))}"
            return f"{word} {m.target}={m.name}"


def _interval(m: Meaning) -> str:
    if m.low is not None and m.high is not None and not _open(m.low) and not _open(m.high):
        return f"in {m.low:g}..{m.high:g}"
    told = []
    if m.low is not None:
        told.append(f"> {m.low:.6g}" if _open(m.low) else f">= {m.low:g}")
    if m.high is not None:
        told.append(f"< {m.high:.6g}" if _open(m.high) else f"<= {m.high:g}")
    return " and ".join(told)


def _open(end: float) -> bool:
    """Whether it is next to the number that was said, and not that number."""
    return float(f"{end:.6g}") != end


def expected_of(text: str) -> set[str]:
    """Two bounds of one name are one."""
    told: dict[str, str] = {}
    for part in text.split("; "):
        name, _, rest = part.partition(" ")
        bound = rest.startswith((">", "<"))
        told[name if bound else part] = f"{told[name]} and {rest}" if bound and name in told else part
    return set(told.values())


def _ordered(expected: str) -> set[str]:
    return {_low_first(one) for one in expected_of(expected)}


def _low_first(text: str) -> str:
    name, _, rest = text.partition(" ")
    parts = rest.split(" and ")
    return f"{name} {' and '.join(sorted(parts, reverse=True))}" if len(parts) == 2 else text


FILES = ("sentences.txt", "held_out_sentences.txt", "second_held_out_sentences.txt", "misread_sentences.txt")


@pytest.mark.parametrize("file", FILES)
def test_sentences_mean_what_they_say(file: str) -> None:
    """All that differ are told at once: a rule seldom breaks one alone."""
    read_otherwise = {
        sentence: (expected, reading)
        for vocabulary, sentence, expected in corpus(file)
        if written(reading := read(sentence, VOCABULARIES[vocabulary])) != _ordered(expected)
    }
    assert read_otherwise == {}


def test_the_corpus_is_large_and_a_third_of_it_must_not_be_understood() -> None:
    every = [line for file in FILES for line in corpus(file)]
    assert len(every) > 200
    assert sum("?" in expected for _, _, expected in every) > len(every) / 4


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("keep learnig_rate below 0.01", "learning_rate"),
        ("avoid lion", "lion"),
        ("keep recall above 0.9", "measured, not set"),
        ("layers at least 7", "nothing of layers would be left"),
        ("keep learning_rate below 1000", "within that already"),
        ("when accuracy plateaus explore", "conditions"),
        ("keep lr below 0.01 and above 0.1", "contradicts"),
        ("don't avoid sgd", "twice"),
    ],
)
def test_what_is_not_understood_says_why_and_what_is_near(sentence: str, said: str) -> None:
    unread = read(sentence, NET).unread
    assert unread
    assert all(said in f"{one.reason} {one.hint}" for one in unread)


def test_an_ambiguous_name_is_told_with_all_that_it_could_be() -> None:
    (unread,) = read("keep lr below 0.01", VOCABULARIES["gan"]).unread
    assert "parameter discriminator_lr or parameter generator_lr" in unread.reason


NAMES = st.sampled_from(["learning_rate", "lr", "layers", "dropout", "batch_size", "C", "weight decay"])
SPOKEN = """
keep avoid not don't no below above at least at most between and or , ; first only try use prefer focus on explore
exploit adam sgd model A B recall loss lr learning_rate layers dropout C 0.1 3 1e-3 30% small large = < > . ? the it
because if more fewer
"""
WORDS = st.sampled_from(SPOKEN.split())


@given(st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=14).map(" ".join)))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_to_what_the_space_can_hold(text: str) -> None:
    """Nothing raises, what is read fits the space and is consistent, and a clause that is not read says why."""
    reading = read(text, NET)
    assert NET.space is not None
    for m in reading.meanings:
        assert m.clause
        if m.target != "parameter":
            continue
        parameter = NET.space[m.name]
        for option in m.options:
            assert parameter.canonical(option) is not None
        if isinstance(parameter, Float | Int) and m.kind == "bound":
            assert m.low is None or m.low <= parameter.high
            assert m.high is None or m.high >= parameter.low
    pairs = [(a, b) for i, a in enumerate(reading.meanings) for b in reading.meanings[i + 1 :]]
    assert not any(conflict(a, b) for a, b in pairs)
    assert all(one.reason for one in reading.unread)


@given(st.floats(1e-5, 0.5), st.floats(1e-5, 0.5))
@settings(max_examples=40, deadline=None)
def test_a_bound_is_where_it_was_said_however_it_is_spelled(a: float, b: float) -> None:
    low, high = sorted((a, b))
    for text in (
        f"lr between {low!r} and {high!r}",
        f"learning_rate in [{high!r}, {low!r}]",
        f"{low!r} <= lr <= {high!r}",
    ):
        reading = read(text, NET)
        if low == 1e-5 and high == 0.5:
            assert reading.unread
            continue
        (m,) = reading.meanings
        assert (m.low, m.high) == (low, high)


@given(NAMES, st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_a_denied_comparison_is_the_other_one(name: str, value: int) -> None:
    """`not above` is `at most`, `not below` is `at least`."""
    for denied, plain in (("not above", "at most"), ("not below", "at least"), ("no more than", "at most")):
        one, other = read(f"{name} {denied} {value}", NET), read(f"{name} {plain} {value}", NET)
        assert [m.model_copy(update={"clause": ""}) for m in one.meanings] == [
            m.model_copy(update={"clause": ""}) for m in other.meanings
        ]


def test_names_are_not_read_into_longer_ones() -> None:
    space = NET.space
    assert space is not None
    for text in ("avoid adam-w", "avoid adamw", "keep lr_max below 0.01", "keep learning_rate_decay below 0.1"):
        assert not read(text, NET).meanings, text


def test_the_table_of_the_docs_is_as_it_is_read() -> None:
    text = (Path(__file__).parents[3] / "docs" / "guidance.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) > 12
    for row in rows:
        sentence, means = row[0].strip("` "), row[1].strip()
        reading = read(sentence, NET)
        told = [*map(str, reading.meanings), *(f"not understood: {one.reason}" for one in reading.unread)]
        assert "; ".join(told) == means, sentence
