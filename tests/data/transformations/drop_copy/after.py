def ordered(words: list[str]) -> list[str]:
    return sorted(words)


def letters(words: list[str]) -> set[str]:
    return {word[:1] for word in words}


def any_long(words: list[str]) -> bool:
    return any(len(word) > 3 for word in words)


def glued(words: list[str]) -> str:
    out = 0
    for word in words:
        out += len(word)
    return "-".join(words) + str(out)


def run(words: list[str]) -> object:
    return ordered(words), sorted(letters(words)), any_long(words), glued(words)


def example():
    return ([f"w{i}" for i in range(20000)],)
