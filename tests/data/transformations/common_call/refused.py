def tokenize(text: str) -> list[str]:
    return text.split()


def loud(text: str) -> list[str]:
    print(text)
    return text.split()


def once(text: str):
    return len(tokenize(text))


def impure(text: str):
    return len(loud(text)), len(loud(text))


def changed(text: str):
    mine = tokenize(text)
    mine.append("end")
    other = tokenize(text)
    return mine, other


def rebound(text: str):
    first = len(tokenize(text))
    text = text[1:]
    return first, len(tokenize(text))


def perhaps(text: str, wanted):
    return wanted and len(tokenize(text)), len(tokenize(text))


def rows(items: list):
    a = len(tokenize(items))
    items.append(1)
    return a, len(tokenize(items))


def unknown(words):
    for word in words:
        print(word.lower(), word.lower())


def rebinds(words: list[str]):
    for word in words:
        print(word.lower())
        word = word[1:]
        print(word.lower())


def in_text(words: list[str]):
    for word in words:
        print(f"{word.lower()} {word.lower()}")
