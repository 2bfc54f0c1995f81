def f(ws, bad: list):
    out = []
    for w in ws:
        try:
            out.append(w in bad)
        except TypeError:
            out.append(None)
    return out


def main():
    return f([[1], 2], [[1], 2])
