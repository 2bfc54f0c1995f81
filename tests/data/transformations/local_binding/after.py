import math
import operator as op


def distances(points: list[tuple[float, float]]) -> list[float]:
    out = []
    hypot = math.hypot
    for x, y in points:
        out.append(round(hypot(x, y) + hypot(y, 1.0), 9))
    return out


def table(numbers: list[int]) -> int:
    total = 0
    xor = op.xor
    for one in numbers:
        for other in numbers:
            total += xor(one, other)
    return total


def run(points: list[tuple[float, float]], numbers: list[int]) -> object:
    return distances(points), table(numbers)


def example():
    return [(i / 7, i / 3) for i in range(20000)], list(range(200))
