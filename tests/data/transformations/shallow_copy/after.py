import copy


def bumped(counts: dict[str, int], name: str) -> dict[str, int]:
    mine = copy.copy(counts)
    mine[name] = mine.get(name, 0) + 1
    return mine


def extended(words: list[str]) -> list[str]:
    mine = copy.copy(words)
    mine.append("end")
    return mine


def run(counts: dict[str, int], words: list[str]) -> object:
    return bumped(counts, "x"), counts, extended(words), words


def example():
    return {f"n{i}": i for i in range(5000)}, [f"w{i}" for i in range(5000)]
