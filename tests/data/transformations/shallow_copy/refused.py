import copy


def nested(rows: list[list[int]]):
    return copy.deepcopy(rows)


def unknown(rows):
    return copy.deepcopy(rows)


def values(table: dict[str, list]):
    return copy.deepcopy(table)


def with_memo(words: list[str], memo):
    return copy.deepcopy(words, memo)


def shadowed(words: list[str], copy):
    return copy.deepcopy(words)
