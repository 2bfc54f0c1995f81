STOP = ["the", "a", "an", "of", "in", "on", "and", "or", "to", "by"]


def meaningful(words: list[str]) -> list[str]:
    return [word for word in words if word not in STOP]


def common(one: list[int], other: list[int]) -> list[int]:
    both = []
    for item in one:
        if item in other:
            both.append(item)
    return both


def vowels(text: str) -> int:
    return sum(1 for letter in text if letter in ["a", "e", "i", "o", "u"])


def run(words: list[str], one: list[int], other: list[int]) -> object:
    return meaningful(words), common(one, other), vowels(" ".join(words))


def example():
    return ["word", "of", "zebra"] * 500, list(range(1500)), list(range(700, 2200))
