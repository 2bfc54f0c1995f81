"""Is the service healthy?  One bounded request, or one command; never a shell, never a redirect."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

import httpx

from core.deployment import HealthCheck, HealthReading
from core.ids import Clock, system_clock

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
    """Time and size are bounded as a whole: a server that sends a byte a second is unhealthy when the time is over."""
    until = time.monotonic() + check.timeout_s
    try:
        with (
            httpx.Client(timeout=check.timeout_s, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", check.url) as response,
        ):
            size = 0
            for chunk in response.iter_raw(4096):
                size += len(chunk)
                if size > MOST_BODY_BYTES:
                    break
                if time.monotonic() > until:
                    return "unhealthy", f"no whole answer within {check.timeout_s:g} s"
            if response.status_code == check.status:
                return "healthy", f"status {response.status_code}"
            return "unhealthy", f"status {response.status_code}, not {check.status}"
    except httpx.InvalidURL as error:
        return "unknown", f"{check.url!r} is no address: {error}"
    except httpx.HTTPError as error:
        return "unhealthy", f"{type(error).__name__}: {error}"[:MOST_OUTPUT]


def _by_command(check: HealthCheck) -> tuple[str, str]:
    code, said = run_bounded(check.command, check.timeout_s)
    if code is None:
        return ("unhealthy" if "within" in said else "unknown"), said
    return ("healthy" if code == 0 else "unhealthy"), f"exit code {code}" + (f": {said}" if said else "")
