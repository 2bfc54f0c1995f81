def text(words, line: str):
    return [line.count(word) for word in words]


def unknown(words, box):
    return [box.count(word) for word in words]


def grows(words: list):
    for word in words:
        if words.count(word) < 3:
            words.append(word)


def once(words: list, word):
    return words.count(word)


def rebound(words: list):
    while words:
        if words.count(1) > 1:
            return words
        words = words[1:]
