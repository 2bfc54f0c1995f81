def f(xs):
    out = [0]
    g = (x for x in out)
    for x in xs:
        out = out + [x]
    return list(g), out


def main():
    return f([1, 2])
