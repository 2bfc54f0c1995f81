def nearest(values: list[int], wanted: list[int]) -> list[int]:
    ordered = list(values)
    found = []
    ordered.sort()
    for number in wanted:
        found.append(sum(1 for value in ordered[:20] if value < number))
    return found


def run(values: list[int], wanted: list[int]) -> object:
    return nearest(values, wanted)


def example():
    return [(i * 7919) % 100003 for i in range(20000)], list(range(400))
