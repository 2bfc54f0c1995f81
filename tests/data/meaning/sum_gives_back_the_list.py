def f(xs):
    out = []
    kept = None
    for x in xs:
        if kept is None:
            kept = sum([], out)
        out = out + [x]
    return kept, out


def main():
    return f([1, 2, 3])
