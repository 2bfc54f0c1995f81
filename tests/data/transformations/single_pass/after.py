import heapq


def extremes(values: list[int]) -> tuple:
    if not values:
        return ()
    return min(values), max(values)


def best(names: list[str], count: int) -> list:
    return [heapq.nsmallest(3, names, key=len), heapq.nlargest(2, names), heapq.nsmallest(count, names)]


def first(names: list[str]) -> str:
    return heapq.nsmallest(1, names, key=lambda name: name[-1:])[0]


def known(names: list[str], table: dict[str, int]) -> list[str]:
    return [name for name in names if name in table]


def run(values: list[int], names: list[str], count: int) -> object:
    return extremes(values), best(names, count), first(names), known(names, {name: 1 for name in names[::2]})


def example():
    return [(i * 7919) % 10007 for i in range(10000)], [f"n{(i * 31) % 997}" for i in range(5000)], 5
