"""Scores of words."""


WEIGHTS = {"a": 3, "e": 2, "z": 10}


def score(word: str) -> int:
    """A score of the letters of a word."""
    total = 0
    for place, letter in enumerate(word):
        total += (place + 1) * WEIGHTS.get(letter, 1)
    return total


def is_prime(n: int) -> bool:
    if n < 2:
        return False
    for d in range(2, int(n**0.5) + 1):
        if n % d == 0:
            return False
    return True


def run(words: list[str], numbers: list[int]) -> object:
    return [score(word) for word in words], [n for n in numbers if is_prime(n)]


def example():
    return [f"word{i % 50}" * 5 for i in range(3000)], [10007 + i % 20 for i in range(3000)]
