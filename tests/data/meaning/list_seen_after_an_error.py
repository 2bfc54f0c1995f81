out = ["old"]


def build(xs):
    global out
    out = []
    for x in xs:
        out.append(1 // x)


def main():
    try:
        build([1, 0])
    except ZeroDivisionError:
        pass
    return out
