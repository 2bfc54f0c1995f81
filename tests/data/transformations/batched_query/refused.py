import sqlite3

import audit


def writes(conn: sqlite3.Connection, keys: list) -> list:
    out = []
    for key in keys:
        out.append(conn.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone())
        conn.execute("UPDATE people SET name = 'x' WHERE id = 1")
    return out


def commits(conn: sqlite3.Connection, keys: list) -> list:
    out = []
    for key in keys:
        out.append(conn.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone())
        conn.commit()
    return out


def calls_others(conn: sqlite3.Connection, keys: list) -> list:
    out = []
    for key in keys:
        out.append(conn.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone())
        audit.tell(key)
    return out


def ends_early(conn: sqlite3.Connection, keys: list):
    for key in keys:
        row = conn.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone()
        if row:
            break
    for key in keys:
        row = conn.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone()
        if row:
            return row
    return None


def catches(conn: sqlite3.Connection, keys: list) -> list:
    out = []
    for key in keys:
        try:
            out.append(conn.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone())
        except sqlite3.Error:
            out.append(None)
    return out


def sometimes(conn: sqlite3.Connection, keys: list) -> list:
    out = []
    for key in keys:
        out.append(key and conn.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone())
    return out


def other_statements(conn: sqlite3.Connection, keys: list) -> list:
    out = []
    for key in keys:
        out.append(conn.execute("SELECT count(*) FROM people WHERE id = ?", (key,)).fetchone())
        out.append(conn.execute("SELECT DISTINCT name FROM people WHERE id = ?", (key,)).fetchall())
        out.append(conn.execute("SELECT name FROM people WHERE id > ?", (key,)).fetchall())
        out.append(conn.execute("SELECT name FROM people WHERE id = ? OR id = 7", (key,)).fetchall())
        out.append(conn.execute("SELECT name FROM people WHERE id = ? AND age = ?", (key, 3)).fetchall())
        out.append(conn.execute("SELECT name FROM people, notes WHERE id = ?", (key,)).fetchall())
        out.append(conn.execute("SELECT name FROM people JOIN notes WHERE id = ?", (key,)).fetchall())
        out.append(conn.execute("SELECT name FROM people WHERE id = ? LIMIT 2", (key,)).fetchall())
        out.append(conn.execute("SELECT name FROM people WHERE id = ? LIMIT 1", (key,)).fetchall())
        out.append(conn.execute("SELECT name FROM people WHERE id = ? GROUP BY name", (key,)).fetchall())
        out.append(conn.execute("SELECT rowid, name FROM people WHERE id = ?", (key,)).fetchall())
        out.append(conn.execute("SELECT name FROM people WHERE id = ? -- one", (key,)).fetchall())
        out.append(conn.execute("SELECT *, name FROM people WHERE id = ?", (key,)).fetchall())
        out.append(conn.execute("SELECT name FROM people WHERE id = :id", {"id": key}).fetchall())
        out.append(conn.execute("SELECT name FROM people WHERE id = ?", (7,)).fetchall())
        out.append(conn.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchmany(2))
    return out


def built(conn: sqlite3.Connection, keys: list, table: str) -> list:
    out = []
    for key in keys:
        out.append(conn.execute(f"SELECT name FROM {table} WHERE id = ?", (key,)).fetchone())
    return out


def key_changes(conn: sqlite3.Connection, orders: list) -> list:
    out = []
    for order in orders:
        order["id"] = order["id"] + 1
        out.append(conn.execute("SELECT name FROM people WHERE id = ?", (order["id"],)).fetchone())
    for order in orders:
        order.update(id=1)
        out.append(conn.execute("SELECT name FROM people WHERE id = ?", (order["id"],)).fetchone())
    for key in orders:
        key = str(key)
        out.append(conn.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone())
    return out


def elements_change(conn: sqlite3.Connection, keys: list) -> list:
    out = []
    for key in keys:
        out.append(conn.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone())
        keys.append(key + 1)
    return out


def cursors(conn: sqlite3.Connection, keys: list) -> list:
    cursor = conn.cursor()
    hand = conn.cursor()
    out = []
    for key in keys:
        out.append(cursor.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone())
        out.append(hand.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone())
    return out


def reads_on(conn: sqlite3.Connection, keys: list) -> list:
    cursor = conn.cursor()
    out = []
    for key in keys:
        cursor.execute("SELECT name FROM people WHERE id = ?", (key,))
        out.append(cursor.fetchone())
    out.append(cursor.fetchone())
    return out


def reads_twice(conn: sqlite3.Connection, keys: list) -> list:
    out = []
    for key in keys:
        result = conn.execute("SELECT name FROM people WHERE id = ?", (key,))
        out.append(result.fetchone())
        out.append(result.fetchall())
    return out


def not_at_once(cursor, keys: list) -> list:
    out = []
    for key in keys:
        cursor.execute("SELECT name FROM people WHERE id = ?", (key,))
        row = cursor.fetchone()
        out.append(row)
    return out


def two_hands(conn: sqlite3.Connection, keys: list) -> list:
    cursor = conn.cursor()
    cursor.execute("SELECT id FROM people")
    out = []
    for key in keys:
        cursor.execute("SELECT name FROM people WHERE id = ?", (key,))
        print(key)
        out.append(cursor.fetchone())
    return out


def unknown_hand(hand) -> list:
    out = []
    for (key,) in hand.execute("SELECT id FROM people"):
        out.append(hand.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone())
    return out


def each_its_own(shards: list) -> list:
    out = []
    for shard, key in shards:
        out.append(shard.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone())
    return out


def generates(conn: sqlite3.Connection, keys: list):
    for key in keys:
        yield conn.execute("SELECT name FROM people WHERE id = ?", (key,)).fetchone()


def reads(database, keys: list) -> list:
    out = []
    for key in keys:
        out.append(database.rows("SELECT name FROM people WHERE id = ?", (key,)))
    return out
