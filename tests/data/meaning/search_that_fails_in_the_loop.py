def f(ws: list[str], s: str):
    out = []
    for w in ws:
        try:
            out.append(s.index("z"))
        except ValueError:
            out.append(-1)
    return out


def main():
    return f(["a", "b"], "abc")
