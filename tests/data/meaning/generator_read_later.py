def f(ys):
    xs = []
    g = (y + len(xs) for y in ys)
    xs.append(1)
    return list(g)


def main():
    return f([1, 2])
