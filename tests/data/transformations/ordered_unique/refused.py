def of_caller(words, seen: list):
    for word in words:
        if word not in seen:
            seen.append(word)


def shrinks(words):
    seen = []
    for word in words:
        if word not in seen:
            seen.append(word)
        else:
            seen.remove(word)
    return seen


def given_away(words, keep):
    seen = []
    keep(seen)
    for word in words:
        if word not in seen:
            seen.append(word)
    return seen


def stores_item(words):
    seen = [0]
    for word in words:
        if word not in seen:
            seen.append(word)
        seen[0] = word
    return seen


def text(letters):
    seen = ""
    for letter in letters:
        if letter not in seen:
            seen += letter
    return seen


def closure(words):
    seen = []

    def note(word):
        seen.append(word)

    for word in words:
        if word not in seen:
            note(word)
    return seen


def computed(words):
    seen = []
    for word in words:
        if word not in seen:
            seen.append(next(words))
    return seen


def of_rows(rows: list[dict[str, int]]):
    seen = []
    for row in rows:
        if row not in seen:
            seen.append(row)
    return seen
