"""Orders with what belongs to them, out of SQLite."""

import sqlite3
from typing import Any

NOTES = "SELECT n, note FROM notes WHERE owner = ? AND n > 0 ORDER BY n DESC, note"


class Seen:
    def __init__(self, key, count) -> None:
        self.key = key
        self.count = count


def names(conn: sqlite3.Connection, asked: list) -> list:
    out = []
    elements = list(asked)
    rows_by_place: list[list[Any]] = [[] for _ in elements]
    for start in range(0, len(elements), 900):
        keys = tuple(key for key in elements[start : start + 900])
        wanted_2 = ", ".join(f"({at_2}, ?)" for at_2 in range(start, start + len(keys)))
        wanted_2 = "".join((
            "WITH wanted(wanted_place, wanted_key) AS (VALUES ",
            wanted_2,
            ") SELECT name, number, wanted_place ",
            "FROM wanted CROSS JOIN people WHERE name IN (wanted_key, NULL)",
        ))
        for *found_2, place_2 in conn.execute(wanted_2, keys):
            rows_by_place[place_2].append(tuple(found_2))
    for place_2, key in enumerate(elements):
        row = (rows_by_place[place_2] or [None])[0]
        if row is None:
            out.append(("nobody", key))
            continue
        name, number = row
        out.append((name, number))
    return out


def numbers(conn: sqlite3.Connection, asked: list) -> list:
    told = []
    elements_2 = list(asked)
    rows_by_place_2: list[list[Any]] = [[] for _ in elements_2]
    for start_2 in range(0, len(elements_2), 900):
        keys_2 = tuple(order["key"] for order in elements_2[start_2 : start_2 + 900])
        wanted_3 = ", ".join(f"({at_3}, ?)" for at_3 in range(start_2, start_2 + len(keys_2)))
        wanted_3 = "".join((
            "WITH wanted(wanted_place, wanted_key) AS (VALUES ",
            wanted_3,
            ") SELECT p.name, rowno, wanted_place ",
            "FROM wanted CROSS JOIN people AS p WHERE p.number IN (wanted_key, NULL)",
        ))
        for *found_3, place_3 in conn.execute(wanted_3, keys_2):
            rows_by_place_2[place_3].append(tuple(found_3))
    elements_3 = list(enumerate(elements_2))
    rows_by_place_3: list[list[Any]] = [[] for _ in elements_3]
    for start_3 in range(0, len(elements_3), 900):
        keys_3 = tuple(order["key"] for place_3, order in elements_3[start_3 : start_3 + 900])
        wanted_4 = ", ".join(f"({at_4}, ?)" for at_4 in range(start_3, start_3 + len(keys_3)))
        wanted_4 = "".join((
            "WITH wanted(wanted_place, wanted_key) AS (VALUES ",
            wanted_4,
            ") SELECT p.*, wanted_place ",
            "FROM wanted CROSS JOIN people AS p WHERE p.number IN (wanted_key, NULL)",
        ))
        for *found_4, place_4 in conn.execute(wanted_4, keys_3):
            rows_by_place_3[place_4].append(tuple(found_4))
    for place_4, (place_3, order) in enumerate(elements_3):
        for name, at in rows_by_place_2[place_3]:
            told.append((name, at))
        for row in rows_by_place_3[place_4]:
            told.append(row)
            order["rows"] = len(told)
    return told


def notes(connection, asked: list) -> dict[int, Any]:
    seen: dict[int, Any] = {}
    elements_4 = list(enumerate(asked))
    rows_by_place_4: list[list[Any]] = [[] for _ in elements_4]
    for start_4 in range(0, len(elements_4), 900):
        keys_4 = tuple(key for place, (key, other) in elements_4[start_4 : start_4 + 900])
        wanted_5 = ", ".join(f"({at_5}, ?)" for at_5 in range(start_4, start_4 + len(keys_4)))
        wanted_5 = "".join((
            "WITH wanted(wanted_place, wanted_key) AS (VALUES ",
            wanted_5,
            ") SELECT n, note, wanted_place ",
            "FROM wanted CROSS JOIN notes WHERE owner IN (wanted_key, NULL) AND n > 0 ORDER BY wanted_place, n DESC, note",
        ))
        for *found_5, place_5 in connection.execute(wanted_5, keys_4):
            rows_by_place_4[place_5].append(tuple(found_5))
    elements_5 = list(enumerate(elements_4))
    rows_by_place_5: list[list[Any]] = [[] for _ in elements_5]
    for start_5 in range(0, len(elements_5), 900):
        keys_5 = tuple(other for place_5, (place, (key, other)) in elements_5[start_5 : start_5 + 900])
        wanted_6 = ", ".join(f"({at_6}, ?)" for at_6 in range(start_5, start_5 + len(keys_5)))
        wanted_6 = "".join((
            "WITH wanted(wanted_place, wanted_key) AS (VALUES ",
            wanted_6,
            ") SELECT note, wanted_place ",
            "FROM wanted CROSS JOIN notes WHERE owner IN (wanted_key, NULL)",
        ))
        for *found_6, place_6 in connection.execute(wanted_6, keys_5):
            rows_by_place_5[place_6].append(tuple(found_6))
    for place_6, (place_5, (place, (key, other))) in enumerate(elements_5):
        wanted = key
        found = rows_by_place_4[place_5]
        count = len(list(rows_by_place_5[place_6]))
        seen[place] = (found, count, Seen(key, count).count)
    return seen


def in_steps(conn: sqlite3.Connection, asked: list) -> list:
    out = []
    elements_6 = list(asked)
    rows_by_place_6: list[list[Any]] = [[] for _ in elements_6]
    for start_6 in range(0, len(elements_6), 900):
        keys_6 = tuple(key for key in elements_6[start_6 : start_6 + 900])
        wanted_7 = ", ".join(f"({at_7}, ?)" for at_7 in range(start_6, start_6 + len(keys_6)))
        wanted_7 = "".join((
            "WITH wanted(wanted_place, wanted_key) AS (VALUES ",
            wanted_7,
            ") SELECT n, wanted_place ",
            "FROM wanted CROSS JOIN notes WHERE owner IN (wanted_key, NULL)",
        ))
        for *found_7, place_7 in conn.execute(wanted_7, keys_6):
            rows_by_place_6[place_7].append(tuple(found_7))
    for place_7, key in enumerate(elements_6):
        out.append(key)
        out.append(rows_by_place_6[place_7])
    return out


def by_hand(conn: sqlite3.Connection, asked: list) -> list:
    cursor = conn.cursor()
    out = []
    elements_7 = list(asked)
    rows_by_place_7: list[list[Any]] = [[] for _ in elements_7]
    for start_7 in range(0, len(elements_7), 900):
        keys_7 = tuple(key for key in elements_7[start_7 : start_7 + 900])
        wanted_8 = ", ".join(f"({at_8}, ?)" for at_8 in range(start_7, start_7 + len(keys_7)))
        wanted_8 = "".join((
            "WITH wanted(wanted_place, wanted_key) AS (VALUES ",
            wanted_8,
            ") SELECT n, note, wanted_place ",
            "FROM wanted CROSS JOIN notes WHERE owner IN (wanted_key, NULL) ORDER BY wanted_place, note, n",
        ))
        for *found_8, place_8 in cursor.execute(wanted_8, keys_7):
            rows_by_place_7[place_8].append(tuple(found_8))
    for place_8, key in enumerate(elements_7):
        row = (rows_by_place_7[place_8] or [None])[0]
        out.append((key, row))
    cursor.close()
    return out


def everyone(conn: sqlite3.Connection) -> list:
    pairs = []
    elements_8 = list(conn.execute("SELECT name FROM people ORDER BY rowno"))
    rows_by_place_8: list[list[Any]] = [[] for _ in elements_8]
    for start_8 in range(0, len(elements_8), 900):
        keys_8 = tuple(name for (name,) in elements_8[start_8 : start_8 + 900])
        wanted_9 = ", ".join(f"({at_9}, ?)" for at_9 in range(start_8, start_8 + len(keys_8)))
        wanted_9 = "".join((
            "WITH wanted(wanted_place, wanted_key) AS (VALUES ",
            wanted_9,
            ") SELECT note, wanted_place ",
            "FROM wanted CROSS JOIN notes WHERE owner IN (wanted_key, NULL)",
        ))
        for *found_9, place_9 in conn.execute(wanted_9, keys_8):
            rows_by_place_8[place_9].append(tuple(found_9))
    for place_9, (name,) in enumerate(elements_8):
        if (rows_by_place_8[place_9] or [None])[0]:
            pairs.append(name)
    return pairs


def run(people: list, texts: list, asked: list) -> object:
    conn = sqlite3.connect(":memory:")
    conn.execute("CREATE TABLE people (rowno INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, number NUMERIC)")
    conn.execute("CREATE TABLE notes (owner, n INTEGER, note TEXT)")
    conn.execute("CREATE INDEX owners ON notes (owner)")
    conn.executemany("INSERT INTO people (name, number) VALUES (?, ?)", people)
    conn.executemany("INSERT INTO notes VALUES (?, ?, ?)", texts)
    orders = [{"key": key} for key in asked]
    told = names(conn, asked), numbers(conn, orders), notes(conn, [(key, key) for key in asked]), everyone(conn), orders
    told += in_steps(conn, asked), by_hand(conn, asked)
    conn.close()
    return told


def example():
    people = [(f"name{i % 40}", i % 30) for i in range(200)]
    texts = [(f"name{i % 50}", i % 7, f"note {i}") for i in range(300)]
    return people, texts, [f"NAME{i % 60}" for i in range(1000)] + list(range(950))
