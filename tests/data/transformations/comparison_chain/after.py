def is_source(name: str) -> bool:
    return name.endswith((".py", ".pyi", ".pyx"))


def is_number(value: object) -> bool:
    return isinstance(value, (int, float, complex))


def is_weekend(day: str) -> bool:
    return day in {"saturday", "sunday", "holiday", ""}


def run(names: list[str], values: list[object]) -> object:
    return [is_source(name) for name in names], [is_number(v) for v in values], [is_weekend(name) for name in names]


def example():
    return [f"file{i}.txt" for i in range(10000)], ["x", 1, 2.0] * 3000
