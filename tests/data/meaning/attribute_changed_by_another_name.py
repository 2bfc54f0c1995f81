class Bag:
    def __init__(self, items):
        self.items = items

    @property
    def total(self) -> int:
        return sum(x for x in self.items)

    def add(self, x):
        items = self.items
        items.append(x)


def main():
    b = Bag([1])
    a = b.total
    b.add(2)
    return a, b.total
