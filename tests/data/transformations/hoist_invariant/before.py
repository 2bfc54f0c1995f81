import math


def square(n: int) -> int:
    return sum(n for _ in range(n))


def found(words: list[str], text: str) -> list[str]:
    hits = []
    for word in words:
        if word in text.lower():
            hits.append(word)
    return hits


def ranks(values: list[int], limit: int) -> list[float]:
    return [value * square(limit) / math.sqrt(limit + 1) for value in values]


def walk(values: list[int]) -> int:
    total = 0
    i = 0
    while i < len(values):
        if values[i] in set(values):
            total += values[i]
        i += 1
    return total


def run(words: list[str], text: str, values: list[int], limit: int) -> object:
    return found(words, text), ranks(values, limit), walk(values)


def example():
    return [f"w{i}" for i in range(300)], "Some Text " * 300, list(range(300)), 200
