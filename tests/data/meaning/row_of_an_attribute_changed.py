class Bag:
    def __init__(self, items):
        self.rows = items

    @property
    def total(self) -> int:
        return sum(sum(x) for x in self.rows)

    def add(self, x):
        self.rows[0].append(x)

    def addall(self, x):
        for row in self.rows:
            row.append(x)


def main():
    b = Bag([[1]])
    a = b.total
    b.add(2)
    c = b.total
    b.addall(3)
    return a, c, b.total
