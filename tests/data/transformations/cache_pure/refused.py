import random
import time

LOG = []
LIMITS = [1, 2, 3]
counter = 0


def prints(word: str) -> int:
    for letter in word:
        print(letter)
    return len(word)


def changes_argument(items: list) -> int:
    for _ in range(3):
        items.append(1)
    return len(items)


def appends_to_global(word: str) -> int:
    for letter in word:
        LOG.append(letter)
    return len(word)


def reads_changing_global(word: str) -> int:
    return sum(len(LOG) for _ in word)


def counts_calls(word: str) -> int:
    global counter
    for _ in word:
        counter += 1
    return counter


def draws(n: int) -> int:
    return sum(random.randrange(n) for _ in range(n))


def tells_time(n: int) -> float:
    return sum(time.time() for _ in range(n))


def returns_list(word: str) -> list:
    return [letter for letter in word]


def unhashable(items: list[int]) -> int:
    return sum(item * item for item in items)


def unknown(items):
    return sum(item * item for item in items)


def starred(*words: str) -> int:
    return sum(len(word) for word in words)


def generates(n: int):
    for i in range(n):
        yield i


async def waits(n: int) -> int:
    return sum(i for i in range(n))


@staticmethod
def decorated(n: int) -> int:
    return sum(i for i in range(n))


def mutable_default(n: int, seen=[]) -> int:
    return sum(i for i in range(n))


def dynamic(n: int) -> int:
    return sum(eval("i") for i in range(n))


def cheap(n: int) -> int:
    return n + 1


def called_once(n: int) -> int:
    return sum(i for i in range(n))


def rebound(n: int) -> int:
    return sum(i for i in range(n))


rebound = abs


def calls_all(words, n):
    for word in words:
        prints(word), changes_argument([]), appends_to_global(word), reads_changing_global(word), counts_calls(word)
        draws(n), tells_time(n), returns_list(word), unhashable([n]), unknown([n]), starred(word), generates(n), waits(n)
        decorated(n), mutable_default(n), dynamic(n), cheap(n), rebound(n)
    return called_once(n)
