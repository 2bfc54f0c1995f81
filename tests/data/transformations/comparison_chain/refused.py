def different(name: str, other: str):
    return name.endswith("a") or other.endswith("b")


def computed(name: str, suffix):
    return name.endswith("a") or name.endswith(suffix)


def both(name: str):
    return name.endswith("a") and name.endswith("b")


def calls(get):
    return get().endswith("a") or get().endswith("b")


def few(day):
    return day == "a" or day == "b"


def variables(day, one, two, three):
    return day == one or day == two or day == three


def mixed(day, month):
    return day == 1 or month == 2 or day == 3


def from_place(name: str):
    return name.endswith("a", 1) or name.endswith("b", 1)
