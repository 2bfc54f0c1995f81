"""Is the service healthy?  One bounded request, or one command; never a shell, never a redirect."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

from core.deployment import HealthCheck, HealthReading
from core.errors import UnavailableError
from core.ids import Clock, system_clock
from runtime.deployment.asking import ask

__all__ = ["check_health", "run_bounded", "wait_healthy"]

MOST_BODY_BYTES = 64 * 1024
MOST_OUTPUT = 400


def check_health(check: HealthCheck, clock: Clock = system_clock) -> HealthReading:
    """One look.  Never raises: what cannot be asked is `unknown`, what does not answer is `unhealthy`."""
    began = time.monotonic()
    answer, reason = _by_url(check) if check.url else _by_command(check)
    return HealthReading.model_validate(
        {"answer": answer, "reason": reason, "at": clock(), "seconds": time.monotonic() - began}
    )


def wait_healthy(
    check: HealthCheck, clock: Clock = system_clock, sleep: Callable[[float], None] = time.sleep
) -> HealthReading:
    """The first healthy answer, or the last of `tries`."""
    reading = check_health(check, clock)
    for _ in range(check.tries - 1):
        if reading.answer == "healthy":
            break
        sleep(check.pause_s)
        reading = check_health(check, clock)
    return reading


def run_bounded(command: Sequence[str], timeout_s: float) -> tuple[int | None, str]:
    """Exit code and the end of what it said; the code is None when it does not start or is not done in time.

    It runs in a session of its own, of which nothing is left when the time is over.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  # an argument list of the owner's configuration, no shell
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return None, f"{command[0]} does not start: {error}"
    try:
        said, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, f"{command[0]} was not done within {timeout_s:g} s"
    return process.returncode, said[-MOST_OUTPUT:].decode(errors="replace").strip()


def _by_url(check: HealthCheck) -> tuple[str, str]:
    try:
        reply = ask("GET", check.url, timeout_s=check.timeout_s, most_bytes=MOST_BODY_BYTES)
    except UnavailableError as error:
        return "unhealthy", error.what
    if reply.status == check.status:
        return "healthy", f"status {reply.status}"
    return "unhealthy", f"status {reply.status}, not {check.status}"


def _by_command(check: HealthCheck) -> tuple[str, str]:
    code, said = run_bounded(check.command, check.timeout_s)
    if code is None:
        return ("unhealthy" if "within" in said else "unknown"), said
    return ("healthy" if code == 0 else "unhealthy"), f"exit code {code}" + (f": {said}" if said else "")
