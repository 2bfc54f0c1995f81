import collections


def reachable(graph: dict[int, list[int]], start: int) -> list[int]:
    queue: collections.deque[int] = collections.deque([start])
    seen = {start}
    order = []
    while queue:
        node = queue.popleft()
        order.append(node)
        for other in graph.get(node, []):
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return order


def window(values: list[int], size: int) -> list[int]:
    recent = collections.deque()
    sums = []
    for value in values:
        recent.append(value)
        if len(recent) > size:
            recent.popleft()
        sums.append(sum(recent) + recent[-1])
    return sums


def run(graph: dict[int, list[int]], values: list[int], size: int) -> object:
    return reachable(graph, 0), window(values, size)


def example():
    graph = {0: list(range(1, 30000))} | {i: [i - 1] for i in range(1, 30000)}
    return graph, list(range(300)), 50
