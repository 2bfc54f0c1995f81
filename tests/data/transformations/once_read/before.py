"""Words to leave out, from a file."""

import json

PATH = __file__.rsplit("/", 1)[0] + "/settings.json"


def settings():
    with open(PATH) as file:
        return json.load(file)


def stop_words() -> list[str]:
    with open(PATH) as file:
        found = json.load(file)
    return [word.lower() for word in found["stop"]]


def run(words: list[str]) -> object:
    kept = []
    for word in words:
        if word not in stop_words() and len(word) <= settings()["longest"]:
            kept.append(word)
    mine = settings()
    mine["stop"].append("changed")
    return kept, settings(), stop_words()


def example():
    return (["the", "house", "of"] * 100,)
