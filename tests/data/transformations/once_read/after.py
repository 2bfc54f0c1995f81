"""Words to leave out, from a file."""

import functools
import copy
import json

PATH = __file__.rsplit("/", 1)[0] + "/settings.json"


@functools.lru_cache(maxsize=1)
def _settings_once():
    with open(PATH) as file:
        return json.load(file)


def settings():
    return copy.deepcopy(_settings_once())


@functools.lru_cache(maxsize=1)
def _stop_words_once() -> list[str]:
    with open(PATH) as file:
        found = json.load(file)
    return [word.lower() for word in found["stop"]]


def stop_words() -> list[str]:
    return list(_stop_words_once())


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
