def floats(values: list[float]):
    return [sum(values[:i]) for i in range(len(values))]


def unknown(values):
    return [sum(values[:i]) for i in range(len(values))]


def other_range(values: list[int], n: int):
    return [sum(values[:i]) for i in range(n)]


def negative(values: list[int]):
    return [sum(values[: i - 1]) for i in range(len(values))]


def window(values: list[int]):
    return [sum(values[i : i + 3]) for i in range(len(values))]


def changes(values: list[int]):
    for i in range(len(values)):
        values[i] = sum(values[:i])


def rebinds(values: list[int]):
    for i in range(len(values)):
        i = i * 2
        print(sum(values[:i]))
