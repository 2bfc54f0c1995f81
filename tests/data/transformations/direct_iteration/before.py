def weighted(values: list[int]) -> list[int]:
    out = []
    for i in range(len(values)):
        out.append(values[i] * i + values[i])
    return out


def upper(words: list[str]) -> list[str]:
    out = []
    for i in range(len(words)):
        if words[i]:
            out.append(words[i].upper())
    return out


def lines(table: dict[str, int]) -> list[str]:
    out = []
    for name in table:
        out.append(name + ":" + str(table[name]) + "/" + str(table[name] + 1))
    return out


def squares(n: int) -> int:
    total = 0
    i = 0
    while i < n:
        total += i * i
        i += 1
    return total


def run(values: list[int], words: list[str], table: dict[str, int], n: int) -> object:
    return weighted(values), upper(words), lines(table), squares(n)


def example():
    return list(range(10000)), ["word"] * 10000, {f"n{i}": i for i in range(10000)}, 10000
