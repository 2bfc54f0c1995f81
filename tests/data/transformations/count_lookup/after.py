import collections


def frequencies(words: list[str]) -> dict[str, float]:
    words_counts = collections.Counter(words)
    return {word: words_counts[word] / len(words) for word in words}


def repeated(numbers: list[int]) -> list[int]:
    found = []
    numbers_counts = collections.Counter(numbers)
    for number in numbers:
        if numbers_counts[number] > 1:
            found.append(number)
    return found


def run(words: list[str], numbers: list[int]) -> object:
    return frequencies(words), repeated(numbers)


def example():
    return [f"w{i % 300}" for i in range(1500)], [i % 700 for i in range(1500)]
