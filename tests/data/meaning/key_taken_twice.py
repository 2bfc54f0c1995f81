def build(xs, it):
    counts = {}
    for x in xs:
        counts[next(it)] = counts.get(next(it), 0) + 1
    return counts


def main():
    return build([1, 2], iter("abab"))
