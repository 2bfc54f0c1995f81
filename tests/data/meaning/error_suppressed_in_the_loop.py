import math
from contextlib import suppress


def f(xs, n: int):
    out = []
    for x in xs:
        with suppress(ValueError):
            out.append(math.sqrt(n))
    return out


def main():
    return f([1, 2], -1)
