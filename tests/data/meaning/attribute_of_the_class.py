class P:
    def __init__(self, x):
        self.x = x
        self.total = x


P.total = 0


def main():
    p = P(3)
    return p.total, P.total
