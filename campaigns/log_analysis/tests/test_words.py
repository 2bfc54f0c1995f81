from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from logstats import ngram_counts, ngrams, word_counts, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Disk is FULL", ["disk", "full"]),
        ("don't re-read it's", ["don't", "re-read", "it's"]),
        ("- -- 'quoted' end-", ["quoted", "end"]),
        ("ab abc 12 x9yz", ["abc"]),
        ("Would YOU wait", ["wait"]),
        ("disk disk", ["disk", "disk"]),
        ("naïve", []),
        ("", []),
    ],
)
def test_words_are_lower_case_without_stop_words(text, words):
    assert words_of(text) == words


def test_a_list_of_words_is_the_callers_own():
    words = words_of("one more broken pump")
    words.reverse()
    words.append("x")
    assert words_of("one more broken pump") == ["one", "broken", "pump"]


def test_runs_of_words():
    text = "Pump seven failed and pump seven stopped"
    assert ngrams(text, 1) == ["pump", "seven", "failed", "pump", "seven", "stopped"]
    assert ngrams(text, 2) == ["pump seven", "seven failed", "failed pump", "pump seven", "seven stopped"]
    assert ngrams(text, 6) == ["pump seven failed pump seven stopped"]
    assert ngrams(text, 7) == []
    assert ngrams("", 1) == []


def test_runs_do_not_use_up_the_words():
    text = "pump seven failed"
    for _ in range(3):
        assert ngrams(text, 2) == ["pump seven", "seven failed"]
    assert words_of(text) == ["pump", "seven", "failed"]
    assert word_counts([text, text]) == {"pump": 2, "seven": 2, "failed": 2}


def test_runs_do_not_span_texts():
    assert list(ngram_counts(["red pump", "pump red", "red pump"], 2).items()) == [("red pump", 2), ("pump red", 1)]


def some_texts(seed):
    chance = random.Random(seed)
    vocabulary = ["Pump", "valve", "the", "and", "Motor", "belt", "of", "gear", "shaft", "up", "x"]
    return [" ".join(chance.choices(vocabulary, k=chance.randint(0, 9))) for _ in range(60)]


def test_counts_agree_with_a_plain_count_and_keep_the_first_order():
    texts = some_texts(5)
    plain = [
        word
        for text in texts
        for word in re.findall("[a-z]+", text.lower())
        if word not in ("the", "and", "of", "up", "x")
    ]
    assert list(word_counts(iter(texts)).items()) == list(Counter(plain).items())
    assert word_counts([]) == {}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_counts_of_runs_agree_with_a_plain_count_and_keep_the_first_order(n):
    texts = some_texts(6)
    runs = []
    for text in texts:
        words = words_of(text)
        runs += [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
    assert list(ngram_counts(iter(texts), n).items()) == list(Counter(runs).items())
