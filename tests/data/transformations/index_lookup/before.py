def places(names: list[str]) -> list[tuple[str, int]]:
    found = []
    for name in names:
        found.append((name, names.index(name)))
    return found


def known(names: list[str], wanted: list[str]) -> list[int]:
    out = []
    for name in wanted:
        if name in names:
            out.append(names.index(name) + 1)
    return out


def run(names: list[str], wanted: list[str]) -> object:
    return places(names), known(names, wanted)


def example():
    return [f"n{i}" for i in range(1500)], [f"n{i}" for i in range(0, 3000, 3)]
