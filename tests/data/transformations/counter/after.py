import collections


def plain(words: list[str]) -> dict[str, int]:
    counts = dict(collections.Counter(words))
    return counts


def by_get(words: list[str]) -> dict[str, int]:
    counts: dict[str, int] = dict(collections.Counter(word.lower() for word in words if word))
    return counts


def by_default(words: list[str]) -> dict[int, int]:
    lengths = collections.defaultdict(int, collections.Counter(len(word) for word in words))
    return lengths


def started(words) -> dict:
    counts = dict(collections.Counter(iter(words)))
    return counts


def run(words: list[str]) -> object:
    found = [plain(words), by_get(words), by_default(words), started({word: 3 for word in words})]
    return [(type(each), list(each.items())) for each in found]


def example():
    return ([f"Word{i % 97}" for i in range(30000)],)
