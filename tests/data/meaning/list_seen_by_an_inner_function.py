def build(xs):
    def seen():
        return len(out)

    out = []
    for x in xs:
        out.append(seen())
    return out


def main():
    return build([5, 6, 7])
