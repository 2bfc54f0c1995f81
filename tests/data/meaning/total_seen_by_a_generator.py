def build():
    def gen():
        while total < 10:
            yield 3

    total = 0
    for x in gen():
        total += 1
    return total


def main():
    return build()
