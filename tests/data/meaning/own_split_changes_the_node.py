class Node:
    def __init__(self):
        self.n = 0

    def split(self):
        self.n += 1
        return False


def f(ns: list):
    a = all([n.split() for n in ns])
    return a, [n.n for n in ns]


def main():
    return f([Node(), Node()])
