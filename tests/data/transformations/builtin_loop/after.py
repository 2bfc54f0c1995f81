def total(numbers: list[int]) -> int:
    result = sum(numbers)
    return result


def long_words(words: list[str]) -> int:
    count = 10 + sum([len(word) for word in words if len(word) > 3])
    return count


def holds(words: list[str], wanted: str) -> bool:
    return wanted in words


def smallest(numbers: list[int]) -> int:
    best = numbers[0]
    best = min(numbers)
    return best


def largest(numbers: list[int]) -> int:
    best = numbers[0]
    best = max(numbers)
    return best


def run(numbers: list[int], words: list[str], wanted: str) -> object:
    return total(numbers), long_words(words), holds(words, wanted), smallest(numbers), largest(numbers)


def example():
    return list(range(20000)), [f"word{i}" for i in range(20000)], "word19999"
