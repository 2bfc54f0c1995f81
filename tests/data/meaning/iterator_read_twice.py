def pairs(s):
    return zip(s, s[1:])


def f(s: str):
    a = len(list(pairs(s)))
    b = set(pairs(s))
    return a, len(b)


def main():
    return f("abc")
