import re


def special(text: str):
    return re.sub("a.c", "x", text)


def unknown(text):
    return re.sub("abc", "x", text)


def group(text: str):
    return re.sub("abc", r"\g<0>", text)


def match_used(text: str):
    return re.search("abc", text)


def flags(text: str):
    return bool(re.search("abc", text, re.IGNORECASE))


def empty(text: str):
    return re.split("", text)


def counted(text: str):
    return re.sub("abc", "x", text, 1)


def by_function(text: str, change):
    return re.sub("abc", change, text)


def data(text: bytes):
    return re.sub(b"abc", b"x", text)
