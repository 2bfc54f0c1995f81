def build(xs):
    out = [0]

    def seen():
        return len(out)

    print
    for x in xs:
        out.append(seen())
    return out


def main():
    return build([5, 6, 7])
