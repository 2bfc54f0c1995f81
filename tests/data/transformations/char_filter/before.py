import string

CODES = {"a": "1", "b": "2", "z": ""}


def bare(text: str) -> str:
    return "".join(letter for letter in text if letter not in string.punctuation)


def without(text: str) -> str:
    return "".join([letter for letter in text.lower() if letter not in " \t\n"])


def coded(text: str) -> str:
    return "".join(CODES.get(letter, letter) for letter in text)


def run(text: str) -> object:
    return bare(text), without(text), coded(text)


def example():
    return ("Some text, with punctuation; and more! " * 500,)
