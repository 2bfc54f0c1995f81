def unsorted_start(values, ordered: list):
    for value in values:
        ordered.append(value)
        ordered.sort()


def by_key(values):
    ordered = []
    for value in values:
        ordered.append(value)
        ordered.sort(key=abs)
    return ordered


def sometimes_unsorted(values):
    ordered = []
    for value in values:
        ordered.append(value)
        ordered.sort()
        ordered.append(0)
    return ordered


def not_sorted(values: list[int], limits):
    return [sum(1 for value in values if value < limit) for limit in limits]


def changed(values, limits):
    ordered = sorted(values)
    for limit in limits:
        print(sum(1 for value in ordered if value < limit))
        ordered[0] = limit


def descending(values, limits):
    ordered = sorted(values, reverse=True)
    return [sum(1 for value in ordered if value < limit) for limit in limits]


def once(values, limit):
    ordered = sorted(values)
    return sum(1 for value in ordered if value < limit)


def given_away(values, keep):
    ordered = []
    keep(ordered)
    for value in values:
        ordered.append(value)
        ordered.sort()


def itself(values):
    ordered = []
    for _ in values:
        ordered.append(len(ordered))
        ordered.sort()
    return ordered
