def pairs(s):
    return zip(s, s[1:])


def f(s: str, ns: list):
    out = []
    for n in ns:
        for a, b in pairs(s):
            out.append((n, a, b))
    return out


def main():
    return f("abc", [1, 2])
