"""Statistics of texts, as a busy colleague writes them."""

import copy
import re
import string

STOP_WORDS = ["the", "a", "an", "of", "in", "on", "and", "or", "to", "is", "it"]
VOWELS = "aeiouy"


def tokenize(text: str) -> list[str]:
    words = []
    for word in re.findall(r"[A-Za-z']+", text):
        words.append(word.lower())
    return words


def clean(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    return "".join(letter for letter in text if letter not in string.punctuation)


def syllables(word: str) -> int:
    count = 0
    before = ""
    for letter in word:
        if letter in VOWELS and before not in VOWELS:
            count += 1
        before = letter
    return max(count, 1)


def word_counts(text: str) -> dict[str, int]:
    counts = {}
    for word in tokenize(text):
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1
    return counts


def relative(text: str) -> list[tuple[str, float]]:
    words = tokenize(text)
    rows = []
    for word in words:
        if word not in STOP_WORDS:
            row = (word, round(words.count(word) / len(words), 6))
            if row not in rows:
                rows.append(row)
    return rows


def most_common(text: str, k: int) -> list[tuple[str, int]]:
    counts = copy.deepcopy(word_counts(text))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:k]


def reading_ease(text: str) -> float:
    sentences = len(re.findall(r"[.!?]+", text)) or 1
    words = len(tokenize(text)) or 1
    total = 0
    for word in tokenize(text):
        total += syllables(word)
    return round(206.835 - 1.015 * words / sentences - 84.6 * total / words, 6)


def by_length(text: str) -> dict[int, list[str]]:
    groups = {}
    for word in tokenize(text):
        if len(word) not in groups:
            groups[len(word)] = []
        groups[len(word)].append(word)
    return groups


def distance(a: str, b: str) -> int:
    if not a:
        return len(b)
    if not b:
        return len(a)
    if a[0] == b[0]:
        return distance(a[1:], b[1:])
    return 1 + min(distance(a[1:], b), distance(a, b[1:]), distance(a[1:], b[1:]))


def nearest(word: str, words: list[str]) -> str:
    if not words:
        return ""
    return sorted(words, key=lambda other: distance(word[:4], other[:4]))[0]


def shared(one: str, other: str) -> list[str]:
    first = tokenize(one)
    second = tokenize(other)
    both = []
    for word in first:
        if word in second and word not in both:
            both.append(word)
    return both


def table(text: str) -> str:
    out = ""
    for word, number in most_common(text, 5):
        out = out + f"{word}: {number}\n"
    return out


def running_lengths(text: str) -> list[int]:
    lengths = [len(word) for word in tokenize(text)]
    totals = []
    for i in range(len(lengths)):
        totals.append(sum(lengths[: i + 1]))
    return totals


def run(text: str, other: str) -> object:
    words = tokenize(text)
    return (
        clean(text),
        word_counts(text),
        relative(text),
        most_common(text, 3),
        reading_ease(text),
        by_length(text),
        nearest(other, words[:5]),
        shared(text, other),
        table(text),
        running_lengths(text),
    )
