def grouped(words: list[str]) -> dict[int, list[str]]:
    groups = {}
    for word in words:
        # by their length
        groups.setdefault(len(word), []).append(word)
    return groups


def counted(words: list[str]) -> dict[str, int]:
    counts = {}
    for word in words:
        short = word[:1]
        counts[short] = counts.get(short, 0) + 1
    return counts


def run(words: list[str]) -> object:
    return grouped(words), counted(words)


def example():
    return ([f"word{i % 1000}" for i in range(20000)],)
