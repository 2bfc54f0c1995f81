class Bag:
    def __init__(self, items):
        self.items = list(items)

    @property
    def total(self) -> int:
        return sum(x for x in self.items)

    def all(self):
        return self.items


def main():
    b = Bag([1])
    a = b.total
    b.all().append(2)
    return a, b.total
