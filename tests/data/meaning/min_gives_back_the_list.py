def f(xs):
    out = []
    best = [99]
    n = 0
    for x in xs:
        best = min(out, best)
        out = out + [x]
    return best, out


def main():
    return f([1, 2, 3])
