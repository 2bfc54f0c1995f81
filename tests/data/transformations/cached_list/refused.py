import re


def once(text: str) -> list[str]:
    return re.findall("a", text)


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def prints(text: str) -> list[str]:
    print(text)
    return text.split()


def unknown(text) -> list[str]:
    return list(text)


def maybe(text: str) -> list[str] | None:
    if text:
        return text.split()


def lazy(text: str):
    yield from text.split()


def calls(text):
    print(once(text), rows(text), rows(text), prints(text), prints(text), unknown(text), unknown(text))
    print(maybe(text), maybe(text), list(lazy(text)), list(lazy(text)))
