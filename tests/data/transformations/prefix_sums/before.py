def running(values: list[int]) -> list[int]:
    totals = []
    for i in range(len(values)):
        totals.append(sum(values[: i + 1]) - sum(values[:i]) * 2)
    return totals


def balanced(values: list[int]) -> list[int]:
    return [i for i, value in enumerate(values) if sum(values[:i]) == value]


def run(values: list[int]) -> object:
    return running(values), balanced(values)


def example():
    return ([(i * 7919) % 101 - 50 for i in range(1500)],)
