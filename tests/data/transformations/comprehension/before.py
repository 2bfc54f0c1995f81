def squares(numbers: list[int]) -> list[int]:
    out = []
    for number in numbers:
        # even ones only
        if number % 2 == 0:
            out.append(number * number)
    return out


def pairs(words: list[str]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for place, word in enumerate(words):
        found.append((place, word))
    return found


def lengths(words: list[str]) -> dict[str, int]:
    table = {}
    for word in words:
        table[word] = len(word)
    return table


def initials(words: list[str]) -> set[str]:
    seen = set()
    for word in words:
        if word:
            seen.add(word[0])
    return seen


def copied(words: list[str]) -> list[str]:
    out = ["start"]
    for word in words:
        out.append(word)
    out.append("end")
    return out


def run(numbers: list[int], words: list[str]) -> object:
    return squares(numbers), pairs(words), lengths(words), sorted(initials(words)), copied(words)


def example():
    return list(range(20000)), [f"w{i}" for i in range(20000)]
