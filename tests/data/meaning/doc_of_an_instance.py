class P:
    """Doc."""

    def __init__(self, x):
        self.x = x
        self.__doc__ = "mine"


def main():
    return P(3).__doc__
