WORDS = {"ab": "x"}
CHANGING = {"a": "b"}


def change():
    CHANGING["c"] = "d"


def unknown(text):
    return "".join(letter for letter in text if letter not in ",;")


def words(words: list[str]):
    return "".join(word for word in words if word not in ",;")


def kept(text: str):
    return "".join(letter for letter in text if letter in ",;")


def changed(text: str):
    return "".join(letter.lower() for letter in text if letter not in ",;")


def glued(text: str):
    return "-".join(letter for letter in text if letter not in ",;")


def long_keys(text: str):
    return "".join(WORDS.get(letter, letter) for letter in text)


def changing(text: str):
    return "".join(CHANGING.get(letter, letter) for letter in text)


def long_items(text: str):
    return "".join(letter for letter in text if letter not in ["ab", "c"])


def variable(text: str, unwanted):
    return "".join(letter for letter in text if letter not in unwanted)
