def shared(words, keep):
    out = []
    for word in words:
        keep(out)
        out = out + [word]
    return out


def aliased(words):
    out = []
    before = out
    for word in words:
        out = out + [word]
    return before, out


def of_caller(words, out: list):
    for word in words:
        out = out + [word]
    return out


def unknown(words, more):
    out = more
    for word in words:
        out = out + word
    return out


def itself(words):
    out = [1]
    for word in words:
        out = out + [len(out)]
    return out


def goes_over(words):
    out = [1, 2]
    for item in out:
        out = out + [item]
        if len(out) > 9:
            break
    return out


def closure(words):
    out = []

    def show():
        return out

    for word in words:
        out = out + [word]
    return show


def reads_front(words):
    out = []
    for word in words:
        out.insert(0, word)
        print(out[0])
    return out


def not_empty(words):
    out = [1]
    for word in words:
        out.insert(0, word)
    return out


def guarded(words):
    out = []
    try:
        for word in words:
            out.insert(0, word)
    except TypeError:
        pass
    return out
