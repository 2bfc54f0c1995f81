import math


def square(n: int) -> int:
    return sum(n for _ in range(n))


def found(words: list[str], text: str) -> list[str]:
    hits = []
    text_lower = text.lower()
    for word in words:
        if word in text_lower:
            hits.append(word)
    return hits


def ranks(values: list[int], limit: int) -> list[float]:
    sqrt_value = math.sqrt(limit + 1)
    limit_square = square(limit)
    return [value * limit_square / sqrt_value for value in values]


def walk(values: list[int]) -> int:
    total = 0
    i = 0
    values_len = len(values)
    values_set = set(values)
    while i < values_len:
        if values[i] in values_set:
            total += values[i]
        i += 1
    return total


def run(words: list[str], text: str, values: list[int], limit: int) -> object:
    return found(words, text), ranks(values, limit), walk(values)


def example():
    return [f"w{i}" for i in range(300)], "Some Text " * 300, list(range(300)), 200
