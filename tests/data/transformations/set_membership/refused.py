FEW = ["a", "b"]
GROWING = ["a", "b", "c", "d", "e"]


def learn(word):
    GROWING.append(word)


def global_list(words):
    return [word for word in words if word in GROWING or word in FEW]


def grows(words, seen: list):
    for word in words:
        if word not in seen:
            seen.append(word)
    return seen


def text(words, line: str):
    return [word for word in words if word in line]


def unknown(words, box):
    return [word for word in words if word in box]


def once(word, words: list):
    return word in words


def rebound(words, box: list):
    for word in words:
        if word in box:
            box = box[1:]
    return box


def unhashable(x):
    return x in [[1], [2], [3], [4]]


def few(x):
    return x in [1, 2]


def rows_of_lists(rows: list[list[int]], wanted: list[list[int]]):
    return [row for row in rows if row in wanted]


def rows_of_dicts(rows, wanted: list):
    found = []
    for row in rows:
        if row in wanted and row.get("name"):
            found.append(row)
    return found
