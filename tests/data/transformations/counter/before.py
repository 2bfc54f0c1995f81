import collections


def plain(words: list[str]) -> dict[str, int]:
    counts = {}
    for word in words:
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1
    return counts


def by_get(words: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        if word:
            counts[word.lower()] = counts.get(word.lower(), 0) + 1
    return counts


def by_default(words: list[str]) -> dict[int, int]:
    lengths = collections.defaultdict(int)
    for word in words:
        lengths[len(word)] += 1
    return lengths


def started(words) -> dict:
    counts = {}
    for word in words:
        if word not in counts:
            counts[word] = 0
        counts[word] += 1
    return counts


def run(words: list[str]) -> object:
    found = [plain(words), by_get(words), by_default(words), started({word: 3 for word in words})]
    return [(type(each), list(each.items())) for each in found]


def example():
    return ([f"Word{i % 97}" for i in range(30000)],)
