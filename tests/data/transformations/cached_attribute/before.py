class Document:
    """A text that does not change."""

    def __init__(self, text: str, names: list[str]) -> None:
        self.text = text
        self.names = names

    @property
    def length(self) -> int:
        return sum(1 for word in self.text.split() if word.isalpha())

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.text.lower().split())))

    def share(self, word: str) -> float:
        return self.text.split().count(word) / max(self.length, 1)


def run(text: str, words: list[str]) -> object:
    document = Document(text, words)
    return [document.share(word) for word in words], document.key, document.key, document.length


def example():
    return "some words and some more " * 200, [f"w{i}" for i in range(200)]
