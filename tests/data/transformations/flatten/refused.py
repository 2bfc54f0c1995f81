def numbers(values: list[int]):
    return sum(values, 0)


def tuples(rows: list[tuple]):
    return sum(rows, ())


def started(rows, start):
    return sum(rows, start)


def known_tuples(rows: list[tuple[int, ...]]):
    return sum(rows, [])


def shadowed(rows, sum):
    return sum(rows, [])
