class A:
    def __init__(self, t: str):
        self.t = t
        k = self.n
        self.t = t + " z"

    @property
    def n(self) -> int:
        return len(self.t.split())


def main():
    return A("a").n
