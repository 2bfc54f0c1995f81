"""Which process is meant by a pid: a pid alone is reused, with start time and boot it is not."""

from __future__ import annotations

import os
import platform
import signal
from pathlib import Path
from typing import NamedTuple

__all__ = ["ProcessIdentity", "identify"]


class ProcessIdentity(NamedTuple):
    """`start_time` is in clock ticks since boot (field 22 of /proc/<pid>/stat); 0 where there is no /proc."""

    pid: int
    start_time: int
    boot_id: str
    host: str

    def alive(self) -> bool:
        """Whether this very process still runs here.  A process of another host is never called alive."""
        if self.host != platform.node():
            return False
        try:
            return identify(self.pid) == self and not _is_zombie(self.pid)
        except ProcessLookupError:
            return False

    def signal(self, number: int) -> bool:
        """Send a signal to this very process; False when it is gone.  Never to another that has its pid by now."""
        try:
            descriptor = os.pidfd_open(self.pid) if hasattr(os, "pidfd_open") else None
        except ProcessLookupError:
            return False
        try:
            if not self.alive():
                return False
            if descriptor is None:
                os.kill(self.pid, number)
            else:
                signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return False
        finally:
            if descriptor is not None:
                os.close(descriptor)
        return True


def identify(pid: int | None = None) -> ProcessIdentity:
    """The identity of `pid` (default: this process).  Raises ProcessLookupError when there is none."""
    pid = os.getpid() if pid is None else pid
    proc = Path("/proc")
    if not (proc / "self").exists():
        os.kill(pid, 0)
        return ProcessIdentity(pid, 0, "", platform.node())
    boot_id = (proc / "sys/kernel/random/boot_id").read_text().strip()
    return ProcessIdentity(pid, int(_stat(pid)[19]), boot_id, platform.node())


def _is_zombie(pid: int) -> bool:
    return Path("/proc/self").exists() and _stat(pid)[0] == "Z"


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; the name before them may hold spaces and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError as error:
        raise ProcessLookupError(pid) from error
