import datetime
from datetime import datetime as D, timedelta, timezone


def fmt(d: datetime.datetime) -> str:
    out = ""
    for c in f"{d}":
        out += c
    return out


def main():
    a = D(2020, 1, 1, 12, tzinfo=timezone.utc)
    b = a.astimezone(timezone(timedelta(hours=2)))
    return [fmt(x) for x in (a, b)]
