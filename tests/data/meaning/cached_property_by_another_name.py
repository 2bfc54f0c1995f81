from functools import cached_property as cp


class P:
    def __init__(self, x):
        self.x = x

    @cp
    def y(self):
        return self.x + 1


def main():
    return P(3).y
