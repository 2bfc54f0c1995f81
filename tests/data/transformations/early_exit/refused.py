def last(words: list[str], wanted):
    found = None
    for word in words:
        if word == wanted:
            found = word
    return found


def counts(words: list[str], wanted):
    found = 0
    for word in words:
        if word == wanted:
            found += 1
    return found


def calls(words: list[str], check):
    found = False
    for word in words:
        if check(word):
            found = True
    return found


def used_after(words: list[str], wanted):
    found = False
    for word in words:
        if word == wanted:
            found = True
    return found, word


def more(words: list[str], wanted):
    found = False
    for word in words:
        print(word)
        if word == wanted:
            found = True
    return found


def on_flag(words: list[str]):
    found = False
    for word in words:
        if not found:
            found = True
    return found


def goes_on(lines):
    stream = iter(lines)
    found = False
    for line in stream:
        if line == "x":
            found = True
    return found, list(stream)


def otherwise(words: list[str], wanted):
    found = False
    for word in words:
        if word == wanted:
            found = True
    else:
        print(found)


def already(words: list[str], wanted):
    found = False
    for word in words:
        if word == wanted:
            found = True
            break
    return found
