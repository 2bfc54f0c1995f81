from decimal import Decimal


def fmt(d: Decimal) -> str:
    out = ""
    for c in str(d):
        out += c
    return out


def main():
    return [fmt(x) for x in (Decimal("1.0"), Decimal("1.00"))]
