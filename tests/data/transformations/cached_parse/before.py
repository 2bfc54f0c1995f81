"""Days of a log."""

from datetime import datetime


def days(lines: list[str]) -> list[str]:
    found = []
    for line in lines:
        stamp = datetime.strptime(line, "%Y-%m-%d %H:%M")
        found.append(stamp.isoformat())
    return found


def run(lines: list[str]) -> object:
    return days(lines)


def example():
    return ([f"2024-03-{1 + i % 28:02} {i % 24:02}:{i % 6}0" for i in range(20000)],)
