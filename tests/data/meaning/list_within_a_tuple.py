def f(n: int):
    a = [1]
    t = (a, [2])
    out = []
    for i in range(n):
        out.append(max(t)[0])
        a[0] += 5
    return out


def main():
    return f(3)
