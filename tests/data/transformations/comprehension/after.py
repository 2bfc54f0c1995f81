def squares(numbers: list[int]) -> list[int]:
    # even ones only
    out = [number * number for number in numbers if number % 2 == 0]
    return out


def pairs(words: list[str]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = [(place, word) for place, word in enumerate(words)]
    return found


def lengths(words: list[str]) -> dict[str, int]:
    table = {word: len(word) for word in words}
    return table


def initials(words: list[str]) -> set[str]:
    seen = {word[0] for word in words if word}
    return seen


def copied(words: list[str]) -> list[str]:
    out = ["start"]
    out.extend(words)
    out.append("end")
    return out


def run(numbers: list[int], words: list[str]) -> object:
    return squares(numbers), pairs(words), lengths(words), sorted(initials(words)), copied(words)


def example():
    return list(range(20000)), [f"w{i}" for i in range(20000)]
