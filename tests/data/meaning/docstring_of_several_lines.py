def tokens(text: str) -> list[str]:
    """Split.

    In words.
    """
    return text.split()


def f(s: str):
    return len(tokens(s)) + len(tokens(s))


def main():
    return tokens.__doc__, f("a b"), tokens.__name__
