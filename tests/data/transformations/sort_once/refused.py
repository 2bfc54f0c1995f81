def of_caller(values: list, wanted):
    for number in wanted:
        values.sort()
        print(values[0], number)


def grows(wanted):
    values = [3, 1]
    for number in wanted:
        values.append(number)
        values.sort()


def used_after(wanted):
    values = [3, 1]
    for number in wanted:
        values.sort()
        print(number)
    return values


def read_before(wanted):
    values = [3, 1]
    for number in wanted:
        print(values[0])
        values.sort()


def changing_key(wanted):
    values = [3, 1]
    for number in wanted:
        values.sort(key=lambda value: abs(value - number))
        print(values[0])


def alone(wanted):
    values = [3, 1]
    for _ in wanted:
        values.sort()
