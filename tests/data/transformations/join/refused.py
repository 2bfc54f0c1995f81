def numbers(items):
    total = 0
    for item in items:
        total += item
    return total


def unknown(items):
    text = ""
    for item in items:
        text += item
    return text


def looks(words: list[str]):
    text = ""
    for word in words:
        if text.endswith(word):
            continue
        text += word
    return text


def both_sides(words: list[str]):
    text = ""
    for word in words:
        text += word
        text = word + text
    return text


def guarded(words: list[str]):
    text = ""
    try:
        for word in words:
            text += word
            risky()
    except ValueError:
        pass
    return text


def otherwise(words: list[str]):
    text = ""
    for word in words:
        text += word
    else:
        print(text)
    return text


def closure(words: list[str]):
    text = ""

    def show():
        return text

    for word in words:
        text += word
        show()
    return text


def generator(words: list[str]):
    text = ""
    for word in words:
        text += word
        yield word
    return text


TEXT = ""


def by_global(words: list[str]):
    global TEXT
    for word in words:
        TEXT += word


def attribute(self, words: list[str]):
    for word in words:
        self.text += word
