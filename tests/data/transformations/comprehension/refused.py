def used_after(numbers):
    out = []
    for number in numbers:
        out.append(number)
    return out, number


def looks_back(numbers):
    out = []
    for number in numbers:
        if number not in out:
            out.append(number)
    return out


def guarded(numbers):
    out = []
    try:
        for number in numbers:
            out.append(1 / number)
    except ZeroDivisionError:
        pass
    return out


def of_caller(numbers, out):
    for number in numbers:
        out.append(number)


def otherwise(numbers):
    out = []
    for number in numbers:
        out.append(number)
    else:
        out.append(0)
    return out


def lazy(numbers):
    out = []
    for number in numbers:
        out.append(lambda: number)
    return out


def walrus(numbers):
    out = []
    for number in numbers:
        out.append(last := number)
    return out, last


def yields(numbers):
    out = []
    for number in numbers:
        out.append((yield number))
    return out


async def awaits(numbers):
    out = []
    for number in numbers:
        out.append(await number)
    return out


async def over_stream(numbers):
    out = []
    async for number in numbers:
        out.append(number)
    return out


def leaves(numbers):
    out = []
    for number in numbers:
        if number:
            break
        out.append(number)
    return out


def to_attribute(self, numbers):
    out = []
    for self.number in numbers:
        out.append(self.number)
    return out


def two_steps(numbers):
    out = []
    for number in numbers:
        number += 1
        out.append(number)
    return out


out = []
for number in range(3):
    out.append(number)


class Body:
    out = []
    for number in range(3):
        out.append(number)


def generators(numbers):
    out = []
    for number in numbers:
        out.append(other for other in numbers if other > number)
    return out


def aliased(numbers, keep):
    out = [1]
    keep(out)
    for number in numbers:
        out.append(number)
