def total(numbers: list[int]) -> int:
    result = 0
    for number in numbers:
        result += number
    return result


def long_words(words: list[str]) -> int:
    count = 10
    for word in words:
        if len(word) > 3:
            count += len(word)
    return count


def holds(words: list[str], wanted: str) -> bool:
    for word in words:
        if word == wanted:
            return True
    return False


def smallest(numbers: list[int]) -> int:
    best = numbers[0]
    for number in numbers[1:]:
        if number < best:
            best = number
    return best


def largest(numbers: list[int]) -> int:
    best = numbers[0]
    for number in numbers:
        if best < number:
            best = number
    return best


def run(numbers: list[int], words: list[str], wanted: str) -> object:
    return total(numbers), long_words(words), holds(words, wanted), smallest(numbers), largest(numbers)


def example():
    return list(range(20000)), [f"word{i}" for i in range(20000)], "word19999"
