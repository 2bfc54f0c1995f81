STOP = ["the", "a", "an", "of", "in", "on", "and", "or", "to", "by"]
_STOP_SET = frozenset(STOP)


def meaningful(words: list[str]) -> list[str]:
    return [word for word in words if word not in _STOP_SET]


def common(one: list[int], other: list[int]) -> list[int]:
    both = []
    other_set = set(other)
    for item in one:
        if item in other_set:
            both.append(item)
    return both


def vowels(text: str) -> int:
    return sum(1 for letter in text if letter in {"a", "e", "i", "o", "u"})


def run(words: list[str], one: list[int], other: list[int]) -> object:
    return meaningful(words), common(one, other), vowels(" ".join(words))


def example():
    return ["word", "of", "zebra"] * 500, list(range(1500)), list(range(700, 2200))
