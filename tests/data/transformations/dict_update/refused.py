import collections


def unknown(words, groups):
    for word in words:
        if word not in groups:
            groups[word] = []
        groups[word].append(word)


def by_default(words):
    groups = collections.defaultdict(list)
    for word in words:
        if word not in groups:
            groups[word] = []
        groups[word].append(word)


def other_key(words):
    groups = {}
    for word in words:
        if word not in groups:
            groups[word] = []
        groups[word[1:]].append(word)


def not_empty(words):
    groups = {}
    for word in words:
        if word not in groups:
            groups[word] = [make(word)]
        groups[word].append(word)


def looks_back(words):
    groups = {}
    for word in words:
        if word not in groups:
            groups[word] = []
        groups[word].append(len(groups))


def changing_key(words, take):
    groups = {}
    for word in words:
        if take(word) not in groups:
            groups[take(word)] = []
        groups[take(word)].append(word)


def otherwise(words):
    groups = {}
    for word in words:
        if word not in groups:
            groups[word] = []
        else:
            groups[word].append(word)


def stored(words):
    groups = {}
    for word in words:
        if word not in groups:
            groups[word] = []
        last = groups[word]
        last.append(word)


def of_caller_by_setdefault(words, groups: dict):
    for word in words:
        groups.setdefault(word, []).append(word)


def looked_at(words):
    groups = {}
    for word in words:
        groups.setdefault(word, []).append(word)
        print(groups.get("x"))
    return groups


def two_kinds(words):
    groups = {}
    for word in words:
        groups.setdefault(word, []).append(word)
        groups.setdefault(word, set()).add(word)
    return groups


def guarded(words):
    groups = {}
    try:
        for word in words:
            groups.setdefault(word, []).append(word)
    except TypeError:
        pass
    return groups


def given_value(words, start):
    groups = {}
    for word in words:
        groups.setdefault(word, start).append(word)
    return groups
