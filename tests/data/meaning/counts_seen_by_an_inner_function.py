def build(xs):
    def key(x):
        return len(counts)

    counts = {}
    for x in xs:
        counts[key(x)] = counts.get(key(x), 0) + 1
    return counts


def main():
    return build([1, 2, 3])
