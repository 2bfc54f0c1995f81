def text(line: str, letters):
    return [line.index(letter) for letter in letters]


def once(names: list, name):
    return names.index(name)


def grows(names: list, wanted):
    for name in wanted:
        names.append(name)
        print(names.index(name))


def guarded(names: list, wanted):
    for name in wanted:
        try:
            print(names.index(name))
        except ValueError:
            pass


def unknown(box, wanted):
    return [box.index(name) for name in wanted]


def from_start(names: list, wanted):
    return [names.index(name, 1) for name in wanted]
