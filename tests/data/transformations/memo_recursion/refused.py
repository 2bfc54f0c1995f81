def depth(node):
    if node is None:
        return 0
    return 1 + max(depth(node.left), depth(node.right))


def subsets(items: tuple) -> list:
    if not items:
        return [()]
    rest = subsets(items[1:])
    return rest + subsets(items[2:])


def shout(n: int) -> int:
    print(n)
    return shout(n - 1) + shout(n - 2) if n > 1 else n


def linear(n: int) -> int:
    return n * linear(n - 1) if n > 1 else 1


def handed_out(n: int) -> int:
    return handed_out(n - 1) + handed_out(n - 2) if n > 1 else n


table = {"f": handed_out}


def outer(rows):
    result = []

    def go(i: int, j: int) -> int:
        result.append(i)
        return go(i - 1, j) + go(i, j - 1) if i > 0 < j else 1

    row = rows[0]

    def of_row(i: int) -> int:
        return row[i] + of_row(i - 1) + of_row(i - 2) if i > 1 else 0

    for row in rows:
        of_row(2)
    return go(3, 3)


class Tree:
    def paths(self, n: int) -> int:
        def go(i: int) -> int:
            return self.width + go(i - 1) + go(i - 2) if i > 1 else 1

        return go(n)
