def f(xs):
    q = [1]
    best = []
    while q:
        best = max(q, best)
        q.pop(0)
    return list(best)


def main():
    return f([1])
