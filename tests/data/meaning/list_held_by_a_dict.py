def f(xs):
    d = {"o": None}
    out = []
    d["o"] = out
    for x in xs:
        out.append(len(d["o"]))
    return out


def main():
    return f([1, 2])
