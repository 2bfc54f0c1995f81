class A:
    def __init__(self, t: str):
        self.t = t

    @property
    def n(self) -> int:
        return len(self.t.split())


def main():
    a = A("a b")
    x = a.n
    setattr(a, "t", "a")
    return x, a.n
