import functools
import itertools
import operator


def joined(rows: list[list[int]]) -> list[int]:
    return list(itertools.chain.from_iterable(rows))


def split(lines: list[str]) -> list[str]:
    return list(itertools.chain.from_iterable([line.split() for line in lines]))


def reduced(rows: list[list[int]]) -> list[int]:
    return list(itertools.chain.from_iterable(rows))


def run(rows: list[list[int]], lines: list[str]) -> object:
    return joined(rows), split(lines), reduced(rows)


def example():
    return [[i, i + 1, i + 2] for i in range(2000)], ["some words on a line"] * 2000
