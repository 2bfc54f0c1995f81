def build(it):
    d = {}
    for _ in range(3):
        d[next(it)] = next(it)
    return d


def main():
    return build(iter(range(6)))
