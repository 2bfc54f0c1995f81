import json
import math

import mylib


def other_module(items):
    return_value = 0
    for item in items:
        return_value += mylib.weigh(item)
    return return_value


def not_a_function(items):
    total = 0
    for item in items:
        total += math.pi * item
    return total


def rebound(items, math):
    total = 0
    for item in items:
        total += math.sqrt(item)
    return total


def in_text(items):
    for item in items:
        print(f"{math.sqrt(item)}")


def no_loop(item):
    return math.sqrt(item)


def not_there(items):
    for item in items:
        print(math.no_such_function(item))


def suspended(items):
    for item in items:
        yield math.sqrt(item)


def parsed(items):
    for item in items:
        print(json.loads(item))
