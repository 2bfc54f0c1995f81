import itertools


def running(values: list[int]) -> list[int]:
    totals = []
    values_sums = [0, *itertools.accumulate(values)]
    for i in range(len(values)):
        totals.append(values_sums[i + 1] - values_sums[i] * 2)
    return totals


def balanced(values: list[int]) -> list[int]:
    values_sums_2 = [0, *itertools.accumulate(values)]
    return [i for i, value in enumerate(values) if values_sums_2[i] == value]


def run(values: list[int]) -> object:
    return running(values), balanced(values)


def example():
    return ([(i * 7919) % 101 - 50 for i in range(1500)],)
