import functools


@functools.lru_cache(maxsize=None, typed=True)
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def distance(a: str, b: str) -> int:
    """Edit distance of two words."""

    @functools.lru_cache(maxsize=None, typed=True)
    def go(i: int, j: int) -> int:
        if i == len(a):
            return len(b) - j
        if j == len(b):
            return len(a) - i
        if a[i] == b[j]:
            return go(i + 1, j + 1)
        return 1 + min(go(i + 1, j), go(i, j + 1), go(i + 1, j + 1))

    return go(0, 0)


@functools.lru_cache(maxsize=None, typed=True)
def ways(total: int, coins: tuple[int, ...]) -> int:
    if total == 0:
        return 1
    if total < 0 or not coins:
        return 0
    return ways(total - coins[0], coins) + ways(total, coins[1:])


def run(n: int, a: str, b: str, total: int) -> object:
    return fib(n), distance(a, b), ways(total, (1, 2, 5))


def example():
    return 20, "saturn", "sundays", 60
