def places(names: list[str]) -> list[tuple[str, int]]:
    found = []
    names_places = {}
    for place, each_item in enumerate(names):
        names_places.setdefault(each_item, place)
    for name in names:
        found.append((name, names_places[name]))
    return found


def known(names: list[str], wanted: list[str]) -> list[int]:
    out = []
    names_places_2 = {}
    for place_2, each_item_2 in enumerate(names):
        names_places_2.setdefault(each_item_2, place_2)
    for name in wanted:
        if name in names:
            out.append(names_places_2[name] + 1)
    return out


def run(names: list[str], wanted: list[str]) -> object:
    return places(names), known(names, wanted)


def example():
    return [f"n{i}" for i in range(1500)], [f"n{i}" for i in range(0, 3000, 3)]
