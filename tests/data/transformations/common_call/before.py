def tokenize(text: str) -> list[str]:
    return [word.strip(".,").lower() for word in text.split()]


def longest(words: tuple[str, ...]) -> int:
    return max((len(word) for word in words), default=0)


def statistics(text: str) -> tuple:
    count = len(tokenize(text))
    distinct = len(set(tokenize(text)))
    by_length = sorted(tokenize(text), key=len)
    return count, distinct, by_length[:3]


def matching(words: list[str], stop: set[str], names: set[str]) -> list[str]:
    kept = []
    for word in words:
        if word.lower() in names or word.lower() not in stop:
            kept.append(word.lower())
    return kept


def run(text: str, words: list[str]) -> object:
    return statistics(text), matching(words, {"the", "of"}, {"ann"}), longest(tuple(words))


def example():
    return "Some words, and some more of them. " * 500, ["The", "House", "OF", "Ann"] * 1000
