def table(rows: list[tuple[str, int]]) -> str:
    text = "name;count"
    for name, count in rows:
        # one line each
        text += "\n" + name
        if count > 1:
            text = text + f";{count}"
    return text


def backwards(words: list[str]) -> str:
    out = ""
    for word in words:
        if not word:
            continue
        out = word + out
    return out


def run(rows: list[tuple[str, int]], words: list[str]) -> object:
    return table(rows), backwards(words)


def example():
    return [(f"name{i}", i) for i in range(2000)], [f"word{i} " * 20 for i in range(5000)]
