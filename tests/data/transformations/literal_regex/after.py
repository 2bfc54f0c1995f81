import re


def plain(text: str) -> str:
    return text.replace("colour", "color")


def mentions(lines: list[str]) -> list[str]:
    return [line for line in lines if "ERROR" in line]


def head(text: str) -> str:
    if not text.startswith("GET "):
        return "?"
    return text.split(" ")[1]


def run(text: str, lines: list[str]) -> object:
    return plain(text), mentions(lines), head(text)


def example():
    return "GET /colour/of/money " * 50, ["INFO all is well", "ERROR it is not"] * 2000
