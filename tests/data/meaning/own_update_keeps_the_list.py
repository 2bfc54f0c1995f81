class History:
    def update(self, rows):
        self.rows = rows


def f(xs):
    h = History()
    out = []
    for x in xs:
        if x == 2:
            h.update(out)
        out = out + [x]
    return h.rows, out


def main():
    return f([1, 2, 3])
