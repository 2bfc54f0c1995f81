"""As whom the command runs.

For root the kernel counts no processes (RLIMIT_NPROC) and refuses no signal.  So a warden that runs as root gives each
command a user of its own that nobody else has; one that does not keeps its user.
"""

from __future__ import annotations

import os

from runtime.warden.kernel import CAP_DAC_READ_SEARCH, PR_SET_KEEPCAPS, keep_only, prctl

__all__ = ["become", "id_map", "private_id"]

BASE = 0x70000000
MOST_PIDS = 1 << 22


def private_id() -> int | None:
    """A number that is nobody's user or group and that this process may become; None: it must stay who it is."""
    if os.geteuid() != 0:
        return None
    wanted = BASE + os.getpid() % MOST_PIDS
    last = min(_last_id("/proc/self/uid_map"), _last_id("/proc/self/gid_map"))
    if wanted <= last:
        return wanted
    spare = min(last // 2, 4096)  # a container that owns few ids: the upper ones are hardly ever in use
    return last - os.getpid() % spare if spare > 0 else None


def id_map(private: int) -> str:
    """The map of a user namespace in which the private user is root, and files of the others have owners."""
    return f"0 {private} 1\n1 0 {min(private, 1 << 16)}\n"


def become(private: int) -> bool:
    """Turn from root into the private user for good.  True when it may still read every file, but write none.

    The interpreter and the inputs of root are often readable by root alone, so that one capability is kept; where it
    is not held (containers withhold it) the files must be readable by others.
    """
    os.setgroups([])
    os.setresgid(private, private, private)
    prctl(PR_SET_KEEPCAPS, 1)
    os.setresuid(private, private, private)
    for capability in (CAP_DAC_READ_SEARCH, None):
        try:
            keep_only(capability)
        except OSError:
            continue
        return capability is not None
    raise OSError("the capabilities of root could not be given up")


def _last_id(path: str) -> int:
    """The last of the ids from 0 on that exist here; -1 where there is no map (not Linux)."""
    try:
        with open(path) as file:
            first, _, count = map(int, file.readline().split())
    except (OSError, ValueError):
        return -1
    return first + count - 1 if first == 0 else -1
