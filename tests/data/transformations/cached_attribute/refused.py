import functools
import random


class Changing:
    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[str] = []

    def rename(self, text: str) -> None:
        self.text = text

    @property
    def length(self) -> int:
        return len(self.text.split())

    @property
    def drawn(self) -> int:
        return random.randrange(10)

    def add(self, word: str) -> None:
        self.words.append(word)

    @property
    def longest(self) -> int:
        return max(len(word) for word in self.words)


class Settable:
    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def size(self) -> int:
        return len(self.text.split())

    @size.setter
    def size(self, value: int) -> None:
        print(value)


class Derived(Settable):
    def __init__(self, text: str) -> None:
        self.other = text

    @property
    def words(self) -> int:
        return len(self.other.split())


class Mutable:
    def __init__(self, line: str) -> None:
        self.line = line

    @property
    def words(self) -> list[str]:
        return self.line.split()

    @property
    def plain(self) -> str:
        return self.line

    @functools.cached_property
    def already(self) -> int:
        return len(self.line.split())
