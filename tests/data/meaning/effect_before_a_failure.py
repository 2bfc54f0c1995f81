log = []


def pure(s: str) -> int:
    return 1 // len(s.split("x")[0])


def effect():
    log.append(1)
    return 1


def f(s: str):
    x = effect() + pure(s)
    y = pure(s)
    return x + y


def main():
    try:
        f("x")
    except ZeroDivisionError:
        pass
    return log
