import math


def f(xs, n: int):
    out = []
    for x in xs:
        try:
            r = math.sqrt(n)
        except ValueError:
            r = 0
        out.append(r)
    return out


def main():
    return f([1, 2], -1)
