def schedule(jobs: list[int]) -> list[int]:
    waiting = [0]
    order = []
    for job in jobs:
        waiting.append(job)
    while waiting:
        job = min(waiting)
        waiting.remove(job)
        order.append(job)
        if job % 7 == 3:
            waiting.append(job + 5)
    return order


def shortest(edges: dict[int, list[tuple[int, int]]], start: int) -> dict[int, int]:
    best = {start: 0}
    queue = [(0, start)]
    while queue:
        queue.sort()
        cost, node = queue.pop(0)
        if cost > best[node]:
            continue
        for other, weight in edges.get(node, []):
            if cost + weight < best.get(other, 10**9):
                best[other] = cost + weight
                queue.append((cost + weight, other))
    return best


def run(jobs: list[int], edges: dict[int, list[tuple[int, int]]]) -> object:
    return schedule(jobs), shortest(edges, 0)


def example():
    edges = {i: [((i * 7 + k) % 400, 1 + (i * k) % 9) for k in range(6)] for i in range(400)}
    return [(i * 7919) % 5003 for i in range(3000)], edges
