"""The SQL database behind the ledger: SQLite with WAL by default, PostgreSQL by URL.

Reads and writes are short transactions on the caller's thread.  A write takes its turn at the beginning (SQLite:
BEGIN IMMEDIATE; PostgreSQL: an advisory lock), so that it waits instead of failing half-way.
"""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.dml import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite.dml import Insert as SqliteInsert

from core.errors import BusyError, ConfigError, StorageError, UnavailableError
from memory import schema, sqlite_file

__all__ = ["Database"]

WRITERS_LOCK = 7_417_101
"""The number of PostgreSQL's advisory lock that writers of a ledger hold for the length of a transaction."""
CONNECT_TIMEOUT_S = 10


class Database:
    """One database with the ledger's tables.

    `url` is a path of a SQLite file or an SQLAlchemy URL.  With `check`, a SQLite file is read through first; a
    damaged one is set aside (renamed, never overwritten) and StorageError says where it is.
    """

    def __init__(self, url: str | Path, *, check: bool = False) -> None:
        text = str(url)
        self.path = None if "://" in text else Path(text)
        if self.path is not None:
            self._prepare_file(self.path, check)
        self.engine = _engine(text) if self.path is None else _sqlite_engine(self.path)
        self.where = str(self.path or self.engine.url.render_as_string(hide_password=True))
        try:
            self._check_schema()
        except BaseException:
            self.engine.dispose()
            raise

    def _check_schema(self) -> None:
        with self.write() as connection:
            schema.metadata.create_all(connection)
            known = connection.execute(sa.select(schema.facts.c.value).where(schema.facts.c.name == "schema")).scalar()
            if known is None:
                connection.execute(sa.insert(schema.facts).values(name="schema", value=str(schema.SCHEMA)))
            elif known != str(schema.SCHEMA):  # raised inside the transaction: what was created above is undone
                raise StorageError(
                    f"the ledger has schema {known}, this version of Ratchet reads schema {schema.SCHEMA}",
                    where=self.where,
                    hint="use the version of Ratchet that wrote it, or another --home",
                )

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with self._translated(), self.engine.connect().execution_options(ratchet_read=True) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        with self._translated(), self.engine.begin() as connection:
            yield connection

    def insert(self, table: sa.Table) -> SqliteInsert | PostgresInsert:
        """An INSERT that understands ON CONFLICT, in the database's own dialect."""
        return postgresql.insert(table) if self.engine.dialect.name == "postgresql" else sqlite.insert(table)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            if self.path is not None and isinstance(error.orig, sqlite3.Error):
                raise sqlite_file.storage_error(error.orig, self.path, "ledger") from error
            raise _server_error(error, self.where) from error

    def _prepare_file(self, path: Path, check: bool) -> None:
        sqlite_file.prepare(path, "ledger")
        if check and (fault := sqlite_file.damage(path)):
            aside = sqlite_file.set_aside(path)
            raise StorageError(
                f"the ledger is damaged ({fault}); it was set aside, nothing was overwritten",
                where=str(aside),
                hint=f"restore a copy to {path}, or recover what is whole: {_recovery(aside, path)}",
            )


def _recovery(damaged: Path, to: Path) -> str:
    """A command that works with every sqlite3: `.recover` needs an option that Debian's is built without."""
    return f"sqlite3 {shlex.quote(str(damaged))} .dump | sed 's/^ROLLBACK.*/COMMIT;/' | sqlite3 {shlex.quote(str(to))}"


def _sqlite_engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
    sa.event.listen(engine, "connect", _configure_sqlite)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _engine(text: str) -> sa.Engine:
    """The engine of a URL; `postgresql://` means the driver that the `postgres` extra brings."""
    try:
        url = sa.make_url(text)
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() != "postgresql":
            raise ConfigError(
                f"the ledger cannot be kept in {url.get_backend_name()}",
                where="ledger_url",
                hint="postgresql://user@host/database, or leave it empty for a SQLite file in the state folder",
            )
        # a writer waits for its turn as long as SQLite's would
        options = {"options": f"-c lock_timeout={sqlite_file.BUSY_TIMEOUT_MS}", "connect_timeout": CONNECT_TIMEOUT_S}
        engine = sa.create_engine(url, pool_pre_ping=True, connect_args=options)
    except (exc.ArgumentError, ValueError) as error:
        raise ConfigError(
            "the ledger's URL cannot be read", where="ledger_url", hint="write postgresql://user@host:port/database"
        ) from error
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"the driver for PostgreSQL is not installed: {error.name}",
            where="ledger_url",
            hint="pip install 'ratchet[postgres]'",
        ) from error
    sa.event.listen(engine, "begin", _take_turn)
    return engine


def _configure_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begin says, not where sqlite3 guesses
    timeout = f"busy_timeout={sqlite_file.BUSY_TIMEOUT_MS}"
    for pragma in (timeout, "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    read = connection.get_execution_options().get("ratchet_read", False)
    connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")


def _take_turn(connection: sa.Connection) -> None:
    """One writer at a time, as in SQLite: events then become visible in the order of their `seq`."""
    if not connection.get_execution_options().get("ratchet_read", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")


def _server_error(error: exc.DBAPIError, where: str) -> StorageError | BusyError:
    text = str(error.orig).strip()
    if "lock timeout" in text:
        return BusyError(
            f"the ledger stayed locked for {sqlite_file.BUSY_TIMEOUT_MS // 1000} s", where=where, hint="try again"
        )
    if "No space left" in text:
        return StorageError(
            "the disk of the database server is full; what was acknowledged is kept",
            where=where,
            hint="free some space there, then `python run_graph.py resume`",
        )
    return StorageError(
        f"the ledger does not answer: {text.splitlines()[0] if text else 'no reason given'}",
        where=where,
        hint="check that the database server runs and lets this user in",
    )
