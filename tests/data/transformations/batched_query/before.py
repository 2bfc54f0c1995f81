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
    for key in asked:
        row = conn.execute("SELECT name, number FROM people WHERE name = ?", (key,)).fetchone()
        if row is None:
            out.append(("nobody", key))
            continue
        name, number = row
        out.append((name, number))
    return out


def numbers(conn: sqlite3.Connection, asked: list) -> list:
    told = []
    for order in asked:
        for name, at in conn.execute("select p.name, rowno from people p where p.number = ?;", (order["key"],)).fetchall():
            told.append((name, at))
        for row in conn.execute("SELECT * FROM people AS p WHERE p.number = ?", (order["key"],)):
            told.append(row)
            order["rows"] = len(told)
    return told


def notes(connection, asked: list) -> dict[int, Any]:
    seen: dict[int, Any] = {}
    for place, (key, other) in enumerate(asked):
        wanted = key
        found = connection.execute(NOTES, [wanted]).fetchall()
        count = len(list(connection.execute("SELECT note FROM notes WHERE owner = ?", (other,))))
        seen[place] = (found, count, Seen(key, count).count)
    return seen


def in_steps(conn: sqlite3.Connection, asked: list) -> list:
    out = []
    for key in asked:
        result = conn.execute("SELECT n FROM notes WHERE owner = ?", (key,))
        out.append(key)
        out.append(result.fetchall())
    return out


def by_hand(conn: sqlite3.Connection, asked: list) -> list:
    cursor = conn.cursor()
    out = []
    for key in asked:
        cursor.execute("SELECT n, note FROM notes WHERE owner = ? ORDER BY note, n", (key,))
        row = cursor.fetchone()
        out.append((key, row))
    cursor.close()
    return out


def everyone(conn: sqlite3.Connection) -> list:
    pairs = []
    for (name,) in conn.execute("SELECT name FROM people ORDER BY rowno"):
        if conn.execute("SELECT note FROM notes WHERE owner = ? LIMIT 1", (name,)).fetchone():
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
