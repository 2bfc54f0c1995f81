def holds(words: list[str], wanted: str) -> bool:
    found = False
    for word in words:
        if word == wanted:
            found = True
            break
    return found


def all_short(words: list[str]) -> bool:
    short = True
    for word in words:
        if len(word) > 5:
            short = False
            break
    return short


def run(words: list[str], wanted: str) -> object:
    return holds(words, wanted), all_short(words)


def example():
    return [f"word{i}" for i in range(50000)], "word17"
