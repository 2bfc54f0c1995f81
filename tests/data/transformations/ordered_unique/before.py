def unique(words: list[str]) -> list[str]:
    kept = []
    for word in words:
        if word not in kept:
            kept.append(word)
    return kept


def firsts(numbers: list[int]) -> tuple[list[int], int]:
    seen = []
    repeats = 0
    for number in numbers:
        if number in seen:
            repeats += 1
            continue
        seen.append(number)
    return seen, repeats


def run(words: list[str], numbers: list[int]) -> object:
    return unique(words), firsts(numbers)


def example():
    return [f"w{i % 900}" for i in range(3000)], [(i * 7919) % 1009 for i in range(2000)]
