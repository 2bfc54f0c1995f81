"""Which isolation there is here, found by attacking it.

A program that is installed may still not work: containers withhold namespaces, profiles forbid them, kernels lack
Landlock.  So the real sandbox is started and `battery` runs inside it against things put out for it here.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import SandboxError
from runtime.sandbox import battery
from runtime.sandbox.isolation import NOT_ENFORCED, Isolation, Level, judged, means
from runtime.sandbox.limits import SandboxLimits
from runtime.sandbox.running import SandboxRun, run_with

__all__ = ["assess", "find_isolation"]

PROGRAM = Path(battery.__file__)
PROCESSES, DISK_MB, MEMORY_MB = 12, 8, 96
EXCESS = ("bomb", "fill", "eat")
SEEN_HERE = 8
"""Attacks whose success shows on this side: a mode changed, two files forgotten, two links as outputs, a process ended
and one limited, a daemon left."""
LEVELS: tuple[Level, ...] = (3, 2, 1)
ORPHAN_DEADLINE_S = 1.0
FEAR_S = 10.0

_found: list[Isolation] = []
_lock = threading.Lock()


def find_isolation(refresh: bool = False) -> Isolation:
    """The best isolation there is on this machine; looked for once in a process, again with `refresh`.

    Takes some tenths of a second.  Raises SandboxError when not even level 1 can be had.
    """
    with _lock:
        if refresh or not _found:
            _found[:] = [_search()]
        return _found[0]


def assess(level: Level) -> Isolation:
    """What the attacks leave of this mechanism.  Raises SandboxError, with the reason, where it cannot be had."""
    with _put_out() as targets, ThreadPoolExecutor(3) as pool:
        excess = {name: pool.submit(_attack, level, name, targets) for name in EXCESS}
        reached, facts = _attack(level, "reach", targets)
        holes = _reached(reached, targets)
        holes += [hole for name, run in excess.items() if (hole := _exceeded(name, run.result()[0]))]
    enforced = means(level, facts)
    for name in enforced.keys() & dict(holes).keys():
        ways = [how for hole, how in holes if hole == name]
        enforced[name] = f"{NOT_ENFORCED}: {'; '.join(ways)}"
    return Isolation(
        level=judged(level, enforced),
        mechanism=level,
        enforced=enforced,
        attacks=len(battery.ATTACKS) + len(EXCESS) + SEEN_HERE,
    )


class _Targets(NamedTuple):
    told: dict[str, Any]
    decoy: subprocess.Popen[bytes]
    directory: Path


def _search() -> Isolation:
    missing: list[str] = []
    best: Isolation | None = None
    for level in LEVELS:
        if best is not None and best.level >= level:
            break
        try:
            found = assess(level)
        except SandboxError as error:
            missing.append(f"no level {level}: {error.what}" + (f" (try: {error.hint})" if error.hint else ""))
            continue
        if best is None or found.level > best.level:
            best = found
    if best is None:
        raise SandboxError("no command can be run here, at no level", where="; ".join(missing))
    return best.model_copy(update={"missing": tuple(missing)})


@contextlib.contextmanager
def _put_out() -> Iterator[_Targets]:
    """Things to attack: a secret, files that anybody may write, sockets that listen, a process with a secret."""
    token, orphan = secrets.token_hex(16), f"orphan-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ratchet-attack-")))
        directory.chmod(0o755)
        (directory / "secret").write_text(token)
        for name in ("outside", "input"):
            place = directory / name
            place.mkdir()
            place.chmod(0o777)
            (place / "file").write_text("as it was")
            (place / "file").chmod(0o666)
        listeners = [socket.create_server(("127.0.0.1", 0))]
        for address in (str(directory / "socket"), f"\0{token}"):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(address)
            listener.listen()
            listeners.append(listener)
        (directory / "socket").chmod(0o777)
        for listener in listeners:
            stack.enter_context(listener)
        decoy = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", "input()", "decoy"],
                stdin=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"TOKEN": token},
            )
        )
        stack.callback(decoy.kill)
        told = {
            "token": token,
            "secret": str(directory / "secret"),
            "outside": str(directory / "outside"),
            "input": "input",
            "socket": str(directory / "socket"),
            "port": listeners[0].getsockname()[1],
            "decoy": decoy.pid,
            "orphan": orphan,
            "processes": PROCESSES,
            "disk_mb": DISK_MB,
            "memory_mb": MEMORY_MB,
        }
        try:
            yield _Targets(told, decoy, directory)
        finally:
            for trace in _traces(token):
                trace.unlink(missing_ok=True)


def _attack(level: Level, name: str, targets: _Targets) -> tuple[SandboxRun, dict[str, Any]]:
    return run_with(
        level,
        [sys.executable, "-I", "-S", "../inputs/battery.py", name],
        inputs={"battery.py": PROGRAM, "input": targets.directory / "input"},
        work={},
        limits=SandboxLimits(time_s=FEAR_S, memory_mb=MEMORY_MB, processes=PROCESSES, disk_mb=DISK_MB, output_mb=1),
        environment={},
        stdin=json.dumps(targets.told).encode(),
        cwd=".",
        outputs=("link", "way/secret") if name == "reach" else (),
    )


def _reached(run: SandboxRun, targets: _Targets) -> list[tuple[str, str]]:
    """(property, how) for every attack that succeeded, by what it says and by what can be seen here."""
    try:
        told = json.loads(run.stdout)
    except ValueError:
        raise SandboxError(f"the self-check did not run: {run.reason or run.stderr[-200:]!r}") from None
    found = [
        (battery.ATTACKS[name][0], name if how == "done" else f"{name} ({how})")
        for name, how in told.items()
        if how is not None
    ]
    outside = targets.directory / "outside" / "file"
    token = targets.told["token"]
    if outside.stat().st_mode & 0o777 != 0o666 or _traces(token):
        found.append(("files", "it left its traces outside the working directory"))
    if any(token.encode() in content for content in run.outputs.values()):
        found.append(("files", "an output led to a secret"))
    if targets.decoy.poll() is not None or resource.prlimit(targets.decoy.pid, resource.RLIMIT_NOFILE)[0] == 7:
        found.append(("signals", "it ended or limited another process"))
    if _alive(targets.told["orphan"]):
        found.append(("orphans", "a daemon outlived it"))
    return found


def _exceeded(name: str, run: SandboxRun) -> tuple[str, str] | None:
    """(property, how) when a bound did not hold: it was neither ended at its limit nor refused what is beyond."""
    if name == "eat":
        return None if run.ended == "memory" else ("memory", f"it used {run.peak_memory_mb:g} MB of {MEMORY_MB}")
    limit, of, ended = {"bomb": (PROCESSES, "pids", "processes"), "fill": (DISK_MB, "disk", "disk")}[name]
    if run.ended == ended:
        return None
    said = run.stdout.strip()
    return None if said.isdigit() and int(said) <= limit else (of, f"ended with {run.ended}, {run.reason or said!r}")


def _traces(token: str) -> list[Path]:
    return [path for place in ("/dev/shm", "/var/tmp") if (path := Path(place) / token).exists()]  # noqa: S108


def _alive(mark: str) -> bool:
    """Whether a process with this word on its command line lives on for more than `ORPHAN_DEADLINE_S`."""
    deadline = time.monotonic() + ORPHAN_DEADLINE_S
    while _named(mark):
        if time.monotonic() > deadline:
            return True
        time.sleep(0.005)
    return False


def _named(mark: str) -> bool:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry.name}/cmdline", "rb") as file:  # noqa: PTH123
                if mark.encode() in file.read().split(b"\0"):
                    return True
    return False
