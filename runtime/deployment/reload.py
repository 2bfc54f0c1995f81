"""A running service is told that its code is another: over loopback, by a signal, or by a command."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.deployment import LiveTarget, ReloadByCommand, ReloadByReloader, ReloadBySignal, Reloaded
from core.errors import UnavailableError
from core.process import identify
from runtime.deployment.asking import ask
from runtime.deployment.health import run_bounded
from runtime.deployment.releases import Releases
from runtime.deployment.routes import Routes, read_routes

__all__ = ["reload_service"]

MOST_CONTROL_BYTES = 4096
MOST_STATUS_BYTES = 256 * 1024
PAUSE_S = 0.1


def reload_service(target: LiveTarget, sleep: Callable[[float], None] = time.sleep) -> Reloaded:
    """Tell the service, and see what it says.  Never raises for what the service does.

    With a `Reloader` in it, every process of it has to serve exactly what `current` and `routes.json` name.  A signal
    and a command only say that they arrived: whether the new code serves is for the health check to tell.
    """
    match target.reload:
        case ReloadByReloader():
            return _by_reloader(target, target.reload, sleep)
        case ReloadBySignal():
            return _by_signal(target.reload, sleep)
        case ReloadByCommand(command=command, timeout_s=timeout_s):
            code, said = run_bounded(command, timeout_s)
            return Reloaded(ok=code == 0, reason=said if code is None else f"exit code {code} {said}".strip())


# ---------------------------------------------------------------------------- reloader


def _by_reloader(target: LiveTarget, way: ReloadByReloader, sleep: Callable[[float], None]) -> Reloaded:
    until = time.monotonic() + way.timeout_s
    stable, routes = Releases(target.folder).current(), read_routes(target.folder)
    while True:
        processes = _processes(target.folder / "control")
        if len(processes) >= way.least_processes or time.monotonic() > until:
            break
        sleep(PAUSE_S)
    serving, wrong = {}, []
    for told in processes:
        pid = str(told["pid"])
        try:
            status = _ask(told, max(1.0, until - time.monotonic()))
        except (UnavailableError, ValueError) as error:
            wrong.append(f"process {pid} does not answer: {getattr(error, 'what', error)}")
            continue
        serving[pid] = str(status.get("stable", ""))
        wrong += [f"process {pid}: {fault}" for fault in _faults(status, stable, routes)]
    if len(processes) < way.least_processes:
        wrong.append(f"{len(processes)} of at least {way.least_processes} processes are there")
    return Reloaded(ok=not wrong, reason="; ".join(wrong)[:1000], serving=serving)


def _processes(folder: Path) -> list[Mapping[str, Any]]:
    """Those that live, by their control files; the files of dead ones are removed."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(descriptor, "rb") as file:
                told = json.loads(file.read(MOST_CONTROL_BYTES))
            pid, url = int(told["pid"]), str(told["url"])
            there = identify(pid).start_time
        except ProcessLookupError:
            path.unlink(missing_ok=True)
            continue
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if told.get("start_time") != there:
            path.unlink(missing_ok=True)
        elif url.startswith("http://127.0.0.1:"):
            found.append(told)
    return found


def _ask(told: Mapping[str, Any], timeout_s: float) -> Mapping[str, Any]:
    """Raises UnavailableError, ValueError."""
    headers = {"Authorization": f"Bearer {told['token']}"}
    reply = ask("POST", f"{told['url']}/reload", timeout_s=timeout_s, most_bytes=MOST_STATUS_BYTES, headers=headers)
    status = json.loads(reply.body)
    if reply.status != 200 or not isinstance(status, dict):
        raise ValueError(f"status {reply.status}")
    return status


def _faults(status: Mapping[str, Any], stable: str, routes: Routes) -> list[str]:
    wanted = {"stable": stable, "tenants": routes.tenants, "canary": routes.canary.digest if routes.canary else ""}
    refused = status.get("refused") or {}
    why = "; ".join(f"{digest[:12]} was refused: {reason}" for digest, reason in dict(refused).items())
    return [
        f"serves another {name} than it should" + (f" ({why})" if why else "")
        for name, value in wanted.items()
        if status.get(name) != value
    ]


# ------------------------------------------------------------------------------ signal


def _by_signal(way: ReloadBySignal, sleep: Callable[[float], None]) -> Reloaded:
    """A pid is reused, so it has to be a process that was there already when the file was written."""
    try:
        descriptor = os.open(way.pid_file, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor) as file:
            written = os.fstat(file.fileno()).st_mtime
            pid = int(file.read(32).split()[0])
    except (OSError, ValueError, IndexError) as error:
        return Reloaded(ok=False, reason=f"{way.pid_file} cannot be read: {error}")
    try:
        handle = os.pidfd_open(pid)
    except (OSError, OverflowError) as error:
        return Reloaded(ok=False, reason=f"there is no process {pid}: {error}")
    try:
        # looked at while the handle is open: from here on the pid cannot become another's unnoticed
        if pid <= 1 or _began(pid) > written + 1.0:
            return Reloaded(ok=False, reason=f"process {pid} is younger than {way.pid_file}: it is another one")
        signal.pidfd_send_signal(handle, signal.Signals[f"SIG{way.signal}"])
    except OSError as error:
        return Reloaded(ok=False, reason=f"process {pid} cannot be told: {error}")
    finally:
        os.close(handle)
    sleep(way.settle_s)
    return Reloaded(ok=True, reason=f"{way.signal} to process {pid}")


def _began(pid: int) -> float:
    """Seconds since the epoch at which the process began, to a hundredth."""
    booted = next(
        int(line.split()[1]) for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime")
    )
    return booted + identify(pid).start_time / os.sysconf("SC_CLK_TCK")
