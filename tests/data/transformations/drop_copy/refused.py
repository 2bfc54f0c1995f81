def shrinks(words: list):
    for word in list(words):
        words.remove(word)


def calls(words, check):
    return any([check(word) for word in words])


def all_of_stream(stream):
    return any(list(stream))


def length(stream):
    return len(list(stream))


def shadowed(words, list):
    return sorted(list(words))


def kept(words):
    return list(words)


def added(numbers):
    return sum([number * 2 for number in numbers])
