def table(rows: list[tuple[str, int]]) -> str:
    text = "name;count"
    text_parts = [text]
    for name, count in rows:
        # one line each
        text_parts.append("\n" + name)
        if count > 1:
            text_parts.append(f";{count}")
    text = "".join(text_parts)
    return text


def backwards(words: list[str]) -> str:
    out = ""
    out_parts = [out]
    for word in words:
        if not word:
            continue
        out_parts.append(word)
    out = "".join(reversed(out_parts))
    return out


def run(rows: list[tuple[str, int]], words: list[str]) -> object:
    return table(rows), backwards(words)


def example():
    return [(f"name{i}", i) for i in range(2000)], [f"word{i} " * 20 for i in range(5000)]
