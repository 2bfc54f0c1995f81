def grouped(words: list[str]) -> dict[int, list[str]]:
    groups = {}
    for word in words:
        # by their length
        if len(word) not in groups:
            groups[len(word)] = []
        groups[len(word)].append(word)
    return groups


def initials(words: list[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for word in words:
        if word:
            found.setdefault(word[0], set()).add(word)
    return found


def counted(words: list[str]) -> dict[str, int]:
    counts = {}
    for word in words:
        short = word[:1]
        if short in counts:
            counts[short] += 1
        else:
            counts[short] = 1
    return counts


def run(words: list[str]) -> object:
    found = [grouped(words), initials(words), counted(words)]
    return [(type(each), list(each.items())) for each in found]


def example():
    return ([f"word{i % 1000}" for i in range(20000)],)
