def f(xs):
    out = []
    for x in xs:
        try:
            return out
        finally:
            out = out + [x]


def main():
    return f([1])
