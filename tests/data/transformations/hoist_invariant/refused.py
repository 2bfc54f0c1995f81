import random


def grows(items: list):
    total = 0
    for item in items:
        items.append(item)
        total += len(items)
    return total


def rebinds(text: str):
    while text.strip():
        text = text[1:]
    return text


def given_away(items: list, change):
    for item in list(items):
        change(items)
        print(sorted(items))
    handle = items
    for _ in range(3):
        handle.append(1)
        alias = items
        print(len(items), alias)


def draws(n: int):
    return [random.randrange(n) for _ in range(n)]


def keeps_fresh(n: int, rows: list):
    out = []
    for _ in range(n):
        out.append(sorted(rows))
    return out


def by_attribute(self, words):
    return [word for word in words if word in self.text.lower()]


def suspended(items: list):
    for _ in range(3):
        yield len(items)


async def awaited(items: list, wait):
    for _ in range(3):
        await wait()
        print(len(items))


def by_closure(items: list):
    def push():
        items.append(1)

    for _ in range(3):
        push()
        print(len(items))


def bound_later(n: int):
    for i in range(n):
        if i:
            print(len(late))
        late = "x"


def in_text(items: list):
    return [f"{len(items)}" for _ in range(3)]


def shadowed(items: list, len):
    return [len(items) for _ in range(3)]


def unknown_call(items: list, weigh):
    return [weigh(items) for _ in range(3)]


def walrus(items: list):
    return [len(items := items + [1]) for _ in range(3)]


def by_scheme(items: list):
    for _ in range(3):
        exec("items.append(1)")
        print(len(items))


STATE = []


def by_global():
    for _ in range(3):
        STATE.append(1)
        print(len(STATE))


def by_bound_method(values):
    recent = []
    push = recent.append
    for value in values:
        push(value)
        if len(recent) == 5:
            recent.clear()


def by_other_name(values):
    recent = []
    other = recent
    for value in values:
        other.append(value)
        print(len(recent))


def by_container(values):
    recent = []
    box = {"recent": recent}
    for value in values:
        box["recent"].append(value)
        print(len(recent))


def by_property(self, items):
    for item in items:
        self.push(item)
        print(len(self.lines), sorted(self.lines))
