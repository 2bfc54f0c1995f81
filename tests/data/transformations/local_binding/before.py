import math
import operator as op


def distances(points: list[tuple[float, float]]) -> list[float]:
    out = []
    for x, y in points:
        out.append(round(math.hypot(x, y) + math.hypot(y, 1.0), 9))
    return out


def table(numbers: list[int]) -> int:
    total = 0
    for one in numbers:
        for other in numbers:
            total += op.xor(one, other)
    return total


def run(points: list[tuple[float, float]], numbers: list[int]) -> object:
    return distances(points), table(numbers)


def example():
    return [(i / 7, i / 3) for i in range(20000)], list(range(200))
