from __future__ import annotations

import random
from itertools import combinations

import pytest
from logstats import edit_distance, nearest, similar_pairs


def by_table(a, b):
    """Wagner & Fischer (1974)."""
    rows = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            change = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            rows[i][j] = min(change, rows[i - 1][j] + 1, rows[i][j - 1] + 1)
    return rows[-1][-1]


@pytest.mark.parametrize(
    ("a", "b", "steps"), [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("flaw", "lawn", 2), ("abcd", "bcd", 1)]
)
def test_known_distances(a, b, steps):
    assert edit_distance(a, b) == steps


def test_distances_agree_with_a_table():
    chance = random.Random(1)
    for _ in range(150):
        a, b = ("".join(chance.choices("abc", k=chance.randint(0, 6))) for _ in range(2))
        assert edit_distance(a, b) == by_table(a, b)


def test_a_distance_is_a_metric():
    chance = random.Random(2)
    words = ["".join(chance.choices("xyz", k=chance.randint(0, 5))) for _ in range(8)]
    for a, b in combinations(words, 2):
        assert edit_distance(a, b) == edit_distance(b, a)
        assert (edit_distance(a, b) == 0) == (a == b)
        assert all(edit_distance(a, b) <= edit_distance(a, c) + edit_distance(c, b) for c in words)


def test_case_and_accents_count():
    assert edit_distance("Ab", "ab") == 1
    assert edit_distance("é", "e") == 1


def test_the_nearest_is_the_first_of_equals():
    assert nearest("cat", ["car", "bat", "cut"], 2) == "car"
    assert nearest("cat", ["bat", "car", "cut"], 2) == "bat"
    assert nearest("cat", ["bat", "cat"], 2) == "cat"
    assert nearest("cat", ["dogs", "cattle"], 2) is None
    assert nearest("cat", [], 2) is None
    assert nearest("ab", ["abcd"], 2) == "abcd"


def test_the_nearest_sees_words_that_were_added():
    known = ["alpha"]
    assert nearest("beta", known, 1) is None
    known.append("betas")
    assert nearest("beta", known, 1) == "betas"


def test_pairs_are_those_that_share_enough_words_most_alike_first():
    texts = ["disk is full", "Disk is FULL", "disk is slow", "all is well", ""]
    found = similar_pairs(texts, 0.5)
    assert found == [
        ("disk is full", "Disk is FULL", 1.0),
        ("disk is full", "disk is slow", 0.5),
        ("Disk is FULL", "disk is slow", 0.5),
    ]
    assert similar_pairs(["", ""], 0.9) == [("", "", 1.0)]
    assert similar_pairs([], 0.0) == []


def test_pairs_agree_with_a_plain_count():
    chance = random.Random(3)
    texts = [" ".join(chance.choices(["a", "B", "b", "c", "D"], k=chance.randint(0, 4))) for _ in range(30)]
    wanted = []
    for i, j in combinations(range(len(texts)), 2):
        a, b = set(texts[i].lower().split()), set(texts[j].lower().split())
        share = len(a & b) / len(a | b) if a | b else 1.0
        if share >= 0.4:
            wanted.append((-share, i, j))
    assert similar_pairs(texts, 0.4) == [(texts[i], texts[j], -share) for share, i, j in sorted(wanted)]
