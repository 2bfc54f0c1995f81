def added(words: list[str]) -> list[str]:
    out = []
    for word in words:
        out.append(word)
        if word:
            out.extend(list(word))
    return out


def table(words: list[str]) -> dict[str, int]:
    lengths = {}
    for word in words:
        lengths[word] = len(word)
    return lengths


def letters(words: list[str]) -> set[str]:
    seen = set()
    for word in words:
        if word:
            seen.add(word[0])
    return seen


def turned(words: list[str]) -> list[str]:
    out = []
    for word in words:
        out.append(word)
    out.reverse()
    return out


def run(words: list[str]) -> object:
    return added(words), table(words), letters(words), turned(words)


def example():
    return ([f"w{i}" for i in range(2000)],)
