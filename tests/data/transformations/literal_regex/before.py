import re


def plain(text: str) -> str:
    return re.sub("colour", "color", text)


def mentions(lines: list[str]) -> list[str]:
    return [line for line in lines if re.search("ERROR", line)]


def head(text: str) -> str:
    if not re.match("GET ", text):
        return "?"
    return re.split(" ", text)[1]


def run(text: str, lines: list[str]) -> object:
    return plain(text), mentions(lines), head(text)


def example():
    return "GET /colour/of/money " * 50, ["INFO all is well", "ERROR it is not"] * 2000
