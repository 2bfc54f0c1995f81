def stores(values: list):
    for i in range(len(values)):
        values[i] = values[i] + 1


def grows(values: list):
    for i in range(len(values)):
        values.append(values[i])


def rebinds(values: list):
    for i in range(len(values)):
        i = i + 0
        print(values[i])


def used_after(values: list):
    for i in range(len(values)):
        print(values[i])
    return i


def unknown(values):
    for i in range(len(values)):
        print(values[i])


def other(values: list, names: list):
    for i in range(len(values)):
        print(names[i])


def changes(table: dict):
    for name in table:
        table[name] = table[name] + 1


def by_default(table):
    for name in table:
        print(table[name])


def skips(n: int):
    i = 0
    while i < n:
        i += 1
        if i == 3:
            continue
        print(i)
        i += 1


def jumps(n: int):
    i = 0
    while i < n:
        if i == 3:
            continue
        i += 1


def counted_after(n: int):
    i = 0
    while i < n:
        print(i)
        i += 1
    return i


def moving_end(values: list):
    i = 0
    while i < len(values):
        values.append(i)
        i += 1


def real_end(n: float):
    i = 0
    while i < n:
        print(i)
        i += 1
