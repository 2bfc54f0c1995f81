import heapq


class Bag:
    def __init__(self):
        self.items = []

    @property
    def total(self) -> int:
        return sum(x for x in self.items)

    def add(self, x):
        heapq.heappush(self.items, x)


def main():
    b = Bag()
    a = b.total
    b.add(2)
    return a, b.total
