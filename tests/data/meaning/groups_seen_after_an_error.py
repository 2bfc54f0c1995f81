groups = None


def build(xs):
    global groups
    groups = {}
    for x in xs:
        if x not in groups:
            groups[x] = []
        groups[x].append(1 // x)


def main():
    try:
        build([1, 0])
    except ZeroDivisionError:
        pass
    return groups
