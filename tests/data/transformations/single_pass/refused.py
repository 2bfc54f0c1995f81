def last_with_key(values):
    return sorted(values, key=abs)[-1]


def unknown_last(values):
    return sorted(values)[-1]


def all_but(values):
    return sorted(values)[:-2]


def middle(values):
    return sorted(values)[len(values) // 2]


def stepped(values):
    return sorted(values)[:5:2]


def shadowed(values, sorted):
    return sorted(values)[0]


def direction(values, reverse):
    return sorted(values, reverse=reverse)[0]
