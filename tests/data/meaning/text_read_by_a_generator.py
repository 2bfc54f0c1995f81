def f(xs: list[str]):
    text = ""
    g = [str(x) for x in xs]
    pieces = (str(len(text)) for x in xs)
    for p in pieces:
        text += p
    return text


def main():
    return f(["a", "b", "c"])
