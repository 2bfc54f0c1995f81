"""How well a command is kept apart here, property by property."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from core.records import Record
from runtime.warden.landlock import SCOPES_SINCE

__all__ = ["NOT_ENFORCED", "PROPERTIES", "Isolation", "Level", "describe", "judged", "means"]

Level = Literal[1, 2, 3]
NOT_ENFORCED = "not enforced"

PROPERTIES = {
    "net": "no connection to this machine or any other",
    "files": "reads its inputs, the interpreter and the system's libraries, writes its working directory, nothing else",
    "environment": "sees nobody else's environment, where tokens and keys are",
    "signals": "cannot end, stop or change another process",
    "kernel": "cannot mount, trace, load, or reach the kernel's keys and namespaces",
    "memory": "a bound on what the whole tree uses",
    "pids": "a bound on the number of processes",
    "disk": "a bound on what it writes",
    "orphans": "nothing of it lives on after its end",
}
"""Property → what it promises."""

OTHERS = ("net", "files", "environment", "signals", "kernel")
"""Without one of these a hostile command reaches what is not its own."""

LEVEL_NAMES = {
    3: "namespaces by bubblewrap, and a seccomp filter",
    2: "Landlock and a seccomp filter",
    1: "limits and a process group only",
}


class Isolation(Record):
    """`level` is what the attacks left of `mechanism`, the level that is used; untrusted code needs 2 or more.

    `enforced` says by what each property of `PROPERTIES` is enforced, or why it is not; `missing` says why no higher
    level was taken.
    """

    level: Level
    mechanism: Level
    enforced: dict[str, str]
    missing: tuple[str, ...] = ()
    attacks: int = Field(default=0, ge=0, description="how many were tried")

    def holds(self, name: str) -> bool:
        """Whether a property is enforced."""
        return not self.enforced[name].startswith(NOT_ENFORCED)


def describe(isolation: Isolation) -> list[str]:
    """Lines for a person: the level, then one line a property."""
    head = f"sandbox level {isolation.level} of 3: {LEVEL_NAMES[isolation.mechanism]}"
    if isolation.level != isolation.mechanism:
        head += f" (would be {isolation.mechanism}, but not every attack was held off)"
    if isolation.level == 1:
        head += "; code that nobody trusts is refused"
    return [
        head,
        *(f"  {name:<12}{isolation.enforced[name]}" for name in PROPERTIES),
        *(f"  {line}" for line in isolation.missing),
    ]


def means(mechanism: Level, facts: Mapping[str, Any]) -> dict[str, str]:
    """By what a mechanism enforces each property; `facts` are the warden's about this machine.

    What is said here counts only once the attacks have failed.
    """
    own_user = facts["user"] == "private"
    counted = "RLIMIT_NPROC of a user of its own" if own_user else "RLIMIT_NPROC in its own user namespace"
    common = {
        "memory": "resident memory of the tree, sampled; RLIMIT_DATA for each process",
        "pids": counted if facts["processes_limited"] else "sampled",
        "orphans": "child subreaper" if facts["tree"] == "subreaper" else f"{NOT_ENFORCED}: process group only",
    }
    if mechanism == 3:
        return common | {
            "net": "own network namespace",
            "files": "own mount namespace",
            "environment": "own process namespace",
            "signals": "own process namespace",
            "kernel": "seccomp filter",
            "disk": "tmpfs of fixed size",
            "orphans": "own process namespace",
        }
    if mechanism == 2:
        signals = "Landlock" if facts["landlock"] >= SCOPES_SINCE else "seccomp filter: no signals"
        return common | {
            "net": "seccomp filter: no sockets",
            "files": f"Landlock (ABI {facts['landlock']})",
            "environment": "Landlock",
            "signals": "a user of its own" if own_user else signals,
            "kernel": "seccomp filter",
            "disk": "sampled; RLIMIT_FSIZE for each file",
        }
    unprotected = dict.fromkeys(("net", "files", "kernel"), NOT_ENFORCED)
    return (
        common
        | unprotected
        | {
            "environment": "a user of its own" if own_user else NOT_ENFORCED,
            "signals": "a user of its own" if own_user else NOT_ENFORCED,
            "disk": "sampled; RLIMIT_FSIZE for each file",
        }
    )


def judged(mechanism: Level, enforced: Mapping[str, str]) -> Level:
    """The level that is left: 1 when it reaches what is not its own, one less when a bound does not hold."""
    holes = [name for name in PROPERTIES if enforced[name].startswith(NOT_ENFORCED)]
    if any(name in OTHERS for name in holes) or mechanism == 1:
        return 1
    if holes:
        return 2 if mechanism == 3 else 1
    return mechanism
