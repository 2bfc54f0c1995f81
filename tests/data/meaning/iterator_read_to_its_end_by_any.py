def f(xs: list):
    it = iter(xs)
    a = any([x > 1 for x in it])
    return a, list(it)


def main():
    return f([1, 2, 3])
