import collections


def grouped(words: list[str]) -> dict[int, list[str]]:
    groups = collections.defaultdict(list)
    for word in words:
        # by their length
        groups[len(word)].append(word)
    groups = dict(groups)
    return groups


def initials(words: list[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = collections.defaultdict(set)
    for word in words:
        if word:
            found[word[0]].add(word)
    found = dict(found)
    return found


def counted(words: list[str]) -> dict[str, int]:
    counts = {}
    for word in words:
        short = word[:1]
        counts[short] = counts.get(short, 0) + 1
    return counts


def run(words: list[str]) -> object:
    found = [grouped(words), initials(words), counted(words)]
    return [(type(each), list(each.items())) for each in found]


def example():
    return ([f"word{i % 1000}" for i in range(20000)],)
