def build(xs, dict):
    groups = {}
    for x in xs:
        if x not in groups:
            groups[x] = []
        groups[x].append(dict)
    return groups


def main():
    return build([1, 1], 3)
