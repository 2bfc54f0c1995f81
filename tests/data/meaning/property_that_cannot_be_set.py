class A:
    def __init__(self, t: str):
        self.t = t

    @property
    def n(self) -> int:
        return len(self.t.split())


def main():
    a = A("a b")
    try:
        a.n = 5
    except AttributeError:
        return "ro", a.n
    return "rw", a.n
