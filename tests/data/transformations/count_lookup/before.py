def frequencies(words: list[str]) -> dict[str, float]:
    return {word: words.count(word) / len(words) for word in words}


def repeated(numbers: list[int]) -> list[int]:
    found = []
    for number in numbers:
        if numbers.count(number) > 1:
            found.append(number)
    return found


def run(words: list[str], numbers: list[int]) -> object:
    return frequencies(words), repeated(numbers)


def example():
    return [f"w{i % 300}" for i in range(1500)], [i % 700 for i in range(1500)]
