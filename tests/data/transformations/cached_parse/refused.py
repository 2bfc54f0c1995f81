from datetime import datetime


def starred(*args):
    return datetime.strptime(*args)


def shadowed(datetime, line):
    return datetime.strptime(line, "%Y")


def now():
    return datetime.now()


def default(line, start=datetime.strptime("2024", "%Y")):
    return start


def local(line):
    import time

    return time.strptime(line)
