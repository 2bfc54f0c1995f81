import bisect


def medians(values: list[int]) -> list[int]:
    ordered = []
    middle = []
    for value in values:
        bisect.insort(ordered, value)
        middle.append(ordered[len(ordered) // 2])
    return middle


def inserted(values: list[int]) -> list[int]:
    ordered = []
    for value in values:
        place = bisect.bisect_right(ordered, value)
        ordered.insert(place, value)
    return ordered


def below(values: list[int], limits: list[int]) -> list[tuple[int, int]]:
    ordered = sorted(values)
    found = []
    for limit in limits:
        less = bisect.bisect_left(ordered, limit)
        more = (len(ordered) - bisect.bisect_left(ordered, limit))
        found.append((less, more))
    return found


def run(values: list[int], limits: list[int]) -> object:
    return medians(values), inserted(values), below(values, limits)


def example():
    return [(i * 7919) % 10007 for i in range(1500)], list(range(0, 10000, 20))
