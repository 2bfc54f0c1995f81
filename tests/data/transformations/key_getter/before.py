def by_second(pairs: list[tuple[int, int]]) -> list:
    return sorted(pairs, key=lambda pair: pair[1])


def by_imaginary(numbers: list[complex]) -> list:
    numbers = list(numbers)
    numbers.sort(key=lambda number: number.imag)
    return numbers


def longest(words: list[str]) -> str:
    return max(words, key=lambda word: len(word), default="")


def folded(text: str) -> list[str]:
    return sorted("".join(["x", text]).split(), key=lambda word: word.lower())


def run(pairs: list[tuple[int, int]], numbers: list[complex], words: list[str], text: str) -> object:
    return by_second(pairs), by_imaginary(numbers), longest(words), folded(text)


def example():
    pairs = [(i, (i * 7919) % 10007) for i in range(10000)]
    return pairs, [complex(*pair) for pair in pairs], [f"w{i}" for i in range(10000)], "Some words " * 3000
