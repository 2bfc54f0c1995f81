class Point:
    """A place."""

    __slots__ = ("x", "y", "__weakref__")

    def __init__(self, x: float, y: float) -> None:
        self.x = x
        self.y = y

    def moved(self, dx: float) -> "Point":
        return Point(self.x + dx, self.y)

    @property
    def size(self) -> float:
        return self.x * self.x + self.y * self.y


class Total:
    __slots__ = ("value", "last", "__weakref__")

    start = 0

    def __init__(self):
        self.value = self.start

    def add(self, number):
        self.value += number
        self.last = number


def run(numbers: list[int]) -> object:
    points = [Point(number, -number).moved(1) for number in numbers]
    total = Total()
    for point in points:
        total.add(point.size)
    return [(point.x, point.y) for point in points], total.value, getattr(total, "last", None)


def example():
    return (list(range(20000)),)
