def computed(rows):
    return sorted(rows, key=lambda row: row[1] + 1)


def other(rows, table):
    return sorted(rows, key=lambda row: table[row])


def two(rows):
    return sorted(rows, key=lambda row: (row[0], row[1]))


def unknown(words):
    return sorted(words, key=lambda word: word.lower())


def default(rows):
    return sorted(rows, key=lambda row, i=1: row[i])


def own(rows, sort):
    return sort(rows, key=lambda row: row[1])


def sliced(rows):
    return sorted(rows, key=lambda row: row[1:])
