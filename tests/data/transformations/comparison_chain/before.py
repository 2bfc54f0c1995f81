def is_source(name: str) -> bool:
    return name.endswith(".py") or name.endswith(".pyi") or name.endswith(".pyx")


def is_number(value: object) -> bool:
    return isinstance(value, int) or isinstance(value, float) or isinstance(value, complex)


def is_weekend(day: str) -> bool:
    return day == "saturday" or day == "sunday" or day == "holiday" or day == ""


def run(names: list[str], values: list[object]) -> object:
    return [is_source(name) for name in names], [is_number(v) for v in values], [is_weekend(name) for name in names]


def example():
    return [f"file{i}.txt" for i in range(10000)], ["x", 1, 2.0] * 3000
