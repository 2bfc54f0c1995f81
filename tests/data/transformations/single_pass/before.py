def extremes(values: list[int]) -> tuple:
    if not values:
        return ()
    return sorted(values)[0], sorted(values)[-1]


def best(names: list[str], count: int) -> list:
    return [sorted(names, key=len)[:3], sorted(names, reverse=True)[:2], sorted(names)[:count]]


def first(names: list[str]) -> str:
    return sorted(names, key=lambda name: name[-1:])[0]


def known(names: list[str], table: dict[str, int]) -> list[str]:
    return [name for name in names if name in table.keys()]


def run(values: list[int], names: list[str], count: int) -> object:
    return extremes(values), best(names, count), first(names), known(names, {name: 1 for name in names[::2]})


def example():
    return [(i * 7919) % 10007 for i in range(10000)], [f"n{(i * 31) % 997}" for i in range(5000)], 5
