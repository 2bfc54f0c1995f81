def floats(numbers: list[float]):
    result = 0
    for number in numbers:
        result += number
    return result


def float_start(numbers: list[int]):
    result = 0.0
    for number in numbers:
        result += number
    return result


def unknown(numbers):
    result = 0
    for number in numbers:
        result += number
    return result


def used_after(numbers: list[int]):
    result = 0
    for number in numbers:
        result += number
    return result, number


def looks_back(numbers: list[int]):
    result = 0
    for number in numbers:
        if result < 5:
            result += number
    return result


def in_text(text: str, wanted):
    for letter in text:
        if letter == wanted:
            return True
    return False


def other_answer(words: list[str], wanted):
    for word in words:
        if word == wanted:
            return 1
    return 0


def computed(words: list[str], make):
    for word in words:
        if word == make():
            return True
    return False


def last_of_equals(numbers: list[int]):
    best = numbers[0]
    for number in numbers:
        if number <= best:
            best = number
    return best


def other_start(numbers: list[int]):
    best = 0
    for number in numbers:
        if number < best:
            best = number
    return best


def shadowed(numbers: list[int], sum):
    result = 0
    for number in numbers:
        result += number
    return result


def generator(numbers: list[int]):
    result = 0
    for number in numbers:
        result += number
        yield result
