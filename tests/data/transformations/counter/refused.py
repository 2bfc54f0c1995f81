import collections


def by_two(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 2
    return counts


def not_empty(words):
    counts = {"a": 1}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def of_caller(words, counts):
    for word in words:
        counts[word] = counts.get(word, 0) + 1


def other_key(words):
    counts = {}
    for word in words:
        if word in counts:
            counts[word] += 1
        else:
            counts[word.lower()] = 1
    return counts


def used_after(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts, word


def looks_back(words):
    counts = {}
    for word in words:
        counts[len(counts)] = counts.get(len(counts), 0) + 1
    return counts


def guarded(words):
    counts = {}
    try:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    except TypeError:
        pass
    return counts


def bare(words):
    counts = {}
    for word in words:
        counts[word] += 1
    return counts


def of_lists(words):
    counts = collections.defaultdict(list)
    for word in words:
        counts[word] += 1
    return counts


def module_level(words):
    counts = {}

    def add():
        counts["x"] = 1

    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return add


async def awaited(words):
    counts = {}
    async for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts
