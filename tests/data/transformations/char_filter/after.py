import string

_WITHOUT_TABLE = str.maketrans("", "", " \t\n")

_BARE_TABLE = str.maketrans("", "", string.punctuation)

CODES = {"a": "1", "b": "2", "z": ""}
_CODES_TABLE = str.maketrans(CODES)


def bare(text: str) -> str:
    return text.translate(_BARE_TABLE)


def without(text: str) -> str:
    return text.lower().translate(_WITHOUT_TABLE)


def coded(text: str) -> str:
    return text.translate(_CODES_TABLE)


def run(text: str) -> object:
    return bare(text), without(text), coded(text)


def example():
    return ("Some text, with punctuation; and more! " * 500,)
