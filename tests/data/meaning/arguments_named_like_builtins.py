def build(list):
    groups = {}
    for x in list:
        groups.setdefault(x, []).append(x)
    return groups


def copy(list):
    out = []
    for x in list:
        out.append(x)
    return out


def uniq(list):
    out = []
    for x in list:
        if x not in out:
            out.append(x)
    return out


def flat(list):
    return sum(list, [])


def cnt(dict):
    c = {}
    for x in dict:
        c[x] = c.get(x, 0) + 1
    return c


def mem(set, stop: "list[str]"):
    out = 0
    for w in set:
        if w in stop:
            out += 1
    return out


def chars(str: "str"):
    return "".join(c for c in str if c not in ",;")


def q(list):
    n = 0
    queue = [list]
    while queue:
        n += queue.pop(0)
    return n


def main():
    return (
        build([1, 1]),
        copy([1, 2]),
        uniq([1, 1, 2]),
        flat([[1], [2]]),
        cnt("aab"),
        mem(["a"], ["a", "b"]),
        chars("a,b"),
        q(4),
    )
