def weighted(values: list[int]) -> list[int]:
    out = []
    for i, values_item in enumerate(values):
        out.append(values_item * i + values_item)
    return out


def upper(words: list[str]) -> list[str]:
    out = []
    for words_item in words:
        if words_item:
            out.append(words_item.upper())
    return out


def lines(table: dict[str, int]) -> list[str]:
    out = []
    for name, table_value in table.items():
        out.append(name + ":" + str(table_value) + "/" + str(table_value + 1))
    return out


def squares(n: int) -> int:
    total = 0
    for i in range(n):
        total += i * i
    return total


def run(values: list[int], words: list[str], table: dict[str, int], n: int) -> object:
    return weighted(values), upper(words), lines(table), squares(n)


def example():
    return list(range(10000)), ["word"] * 10000, {f"n{i}": i for i in range(10000)}, 10000
