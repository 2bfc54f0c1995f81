"""A PostgreSQL cluster of one's own: made in a temporary folder, reached through a socket there, gone at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["cluster", "missing"]

DEBIAN = Path("/usr/lib/postgresql")
ACCOUNT = "postgres"
"""Who runs the server when the tests are run by root, which PostgreSQL refuses."""
FAST = "-c fsync=off -c listen_addresses="


def missing() -> str:
    """Why no cluster can be made here; empty when one can."""
    if _programs() is None:
        return f"PostgreSQL's initdb is neither in PATH nor in {DEBIAN}/*/bin; on Debian: apt-get install postgresql"
    if os.geteuid() == 0 and not _has_account():
        return f"PostgreSQL refuses to be run by root, and there is no user {ACCOUNT!r}"
    return ""


@contextmanager
def cluster() -> Iterator[str]:
    """A running server with an empty database; the value is its URL."""
    programs = _programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="ratchet-pg-"))  # pytest's own folders are closed to other users
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, ACCOUNT, ACCOUNT)
        data, log = folder / "data", folder / "log"
        _call(programs / "initdb", "-D", data, "-U", ACCOUNT, "-A", "trust", "--no-locale", "-E", "UTF8", "--no-sync")
        _call(programs / "pg_ctl", "-D", data, "-l", log, "-w", "-o", f"{FAST} -k {folder}", "start")
        try:
            yield f"postgresql://{ACCOUNT}@/postgres?host={folder}"
        finally:
            _call(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path | None:
    """The folder of initdb and pg_ctl, the newest version first; Debian keeps them out of PATH."""
    debian = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]), reverse=True)
    found = debian[0] if debian else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _has_account() -> bool:
    import pwd

    return any(account.pw_name == ACCOUNT for account in pwd.getpwall())


def _call(*words: object) -> None:
    """The program, as somebody whom PostgreSQL does not refuse."""
    account = {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        [str(word) for word in words],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the server inherits it, and a pipe would stay open as long as the server runs
        stderr=subprocess.PIPE,
        text=True,
        timeout=100,
        check=False,
        **account,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr
