import re


def built(text, word):
    return re.findall(word + "s", text)


def wrong(text):
    return re.search("(", text)


def spread(*args):
    return re.match(*args)


def tells(text):
    return re.search("a+", text, re.DEBUG)


def by_flags(text, flags):
    return re.search("a+", text, flags)


def commented(text):
    return re.search(
        "a+",  # letters
        text,
    )


def shadowed(re, text):
    return re.search("a+", text)


def default(text, pattern=re.compile("a+")):
    return pattern.search(text)


TOP = re.search("a+", "banana")
