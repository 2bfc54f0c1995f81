"""What sentences mean: a corpus with its expected meanings, and what holds for any text at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from vocabularies import VOCABULARIES

from agents.guidance.reading import Reading, read
from core.guidance import Meaning

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


@pytest.mark.parametrize(("vocabulary", "sentence", "expected"), corpus("sentences.txt"))
def test_a_sentence_means_what_it_says(vocabulary: str, sentence: str, expected: str) -> None:
    reading = read(sentence, VOCABULARIES[vocabulary])
    assert written(reading) == _ordered(expected), reading


def _ordered(expected: str) -> set[str]:
    return {_low_first(one) for one in expected_of(expected)}


def _low_first(text: str) -> str:
    name, _, rest = text.partition(" ")
    parts = rest.split(" and ")
    return f"{name} {' and '.join(sorted(parts, reverse=True))}" if len(parts) == 2 else text


if __name__ == "__main__":
    for file in ("sentences.txt", "held_out_sentences.txt"):
        lines = corpus(file)
        bad = 0
        for vocabulary, sentence, expected in lines:
            reading = read(sentence, VOCABULARIES[vocabulary])
            if written(reading) != _ordered(expected):
                bad += 1
                if file == "sentences.txt":
                    print(f"{sentence!r}: wanted {expected}, got {written(reading)} {reading.unread}")
        print(file, len(lines), "bad", bad)
