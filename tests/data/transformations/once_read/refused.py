import json


def by_name(name):
    with open(name) as file:
        return json.load(file)


def writes():
    with open("a.txt", "w") as file:
        file.write("x")
    return 1


def once():
    with open("a.txt") as file:
        return file.read()


def unknown():
    with open("a.txt") as file:
        return transform(file.read())


def nothing():
    return [1, 2]


def asks():
    name = input()
    with open(name) as file:
        return file.read()


def counts():
    global reads
    reads += 1
    with open("a.txt") as file:
        return file.read()


def lines():
    with open("a.txt") as file:
        yield from file


reads = 0
calls = [by_name("a"), by_name("a"), writes(), writes(), once(), unknown(), unknown(), nothing(), nothing()]
calls += [asks(), asks(), counts(), counts(), lines(), lines()]
