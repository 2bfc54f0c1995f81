import re


def words(s):
    return re.finditer("a", s)


def f(s: str, ns: list):
    out = 0
    for n in ns:
        out += sum(1 for m in words(s))
    return out


def main():
    return f("abca", [1, 2])
