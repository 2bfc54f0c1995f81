import functools
import operator


def joined(rows: list[list[int]]) -> list[int]:
    return sum(rows, [])


def split(lines: list[str]) -> list[str]:
    return sum([line.split() for line in lines], [])


def reduced(rows: list[list[int]]) -> list[int]:
    return functools.reduce(operator.add, rows, [])


def run(rows: list[list[int]], lines: list[str]) -> object:
    return joined(rows), split(lines), reduced(rows)


def example():
    return [[i, i + 1, i + 2] for i in range(2000)], ["some words on a line"] * 2000
