def medians(values: list[int]) -> list[int]:
    ordered = []
    middle = []
    for value in values:
        ordered.append(value)
        ordered.sort()
        middle.append(ordered[len(ordered) // 2])
    return middle


def inserted(values: list[int]) -> list[int]:
    ordered = []
    for value in values:
        place = 0
        while place < len(ordered) and ordered[place] <= value:
            place += 1
        ordered.insert(place, value)
    return ordered


def below(values: list[int], limits: list[int]) -> list[tuple[int, int]]:
    ordered = sorted(values)
    found = []
    for limit in limits:
        less = sum(1 for value in ordered if value < limit)
        more = len([value for value in ordered if value >= limit])
        found.append((less, more))
    return found


def run(values: list[int], limits: list[int]) -> object:
    return medians(values), inserted(values), below(values, limits)


def example():
    return [(i * 7919) % 10007 for i in range(1500)], list(range(0, 10000, 20))
