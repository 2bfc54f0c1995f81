"""Levels 2 and 1: between fork and exec the command gives up what it may not have.

Level 2: Landlock for files, a seccomp filter for sockets and everything risky, a user of its own where the warden is
root, limits.  Level 1: the user and the limits only; it keeps honest programs from harm by accident, not hostile ones.
"""

from __future__ import annotations

import contextlib
import os
import resource

from runtime.keeper.launch import OOM_SCORE, StartError, default_signals, explain
from runtime.keeper.tree import die_with_parent
from runtime.warden import landlock, seccomp, syscalls, user
from runtime.warden.kernel import no_new_privileges

TYPE_CHECKING = False  # importing typing costs a tenth of the start
if TYPE_CHECKING:
    from typing import Any

__all__ = ["limit", "start"]

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
FACTS = ("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/etc/passwd", "/etc/group", "/etc/hosts")
"""What libraries read of a machine; nothing of it is anybody's secret."""


def start(spec: dict[str, Any], private: int | None, stdin: int, stdout: int, stderr: int) -> int:
    """The pid of the command, which really runs.  Raises StartError."""
    answer, question = os.pipe()
    warden = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            die_with_parent(warden)
            default_signals()
            for descriptor, number in ((stdin, 0), (stdout, 1), (stderr, 2)):
                os.dup2(descriptor, number)
            with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
                file.write(str(OOM_SCORE))
            if private is not None:
                user.become(private)
                die_with_parent(warden)  # the tie is lost with the user
            os.chdir(os.path.join(spec["work"], spec["cwd"]))
            _check_readable(spec)
            limit(spec["rlimits"])
            no_new_privileges()
            if spec["level"] == 2:
                _isolate(spec, same_user=private is None)
            os.execvpe(spec["command"][0], spec["command"], spec["environment"])  # noqa: S606 -- no shell is the point
        except OSError as error:
            os.write(question, str(error.errno or error).encode())
        except BaseException as error:  # noqa: BLE001 -- this copy of the warden must never go on
            os.write(question, str(error).encode())
        finally:
            os._exit(127)
    os.close(question)
    with open(answer, "rb") as file:
        failure = file.read().decode("utf-8", "replace")
    if failure:
        os.waitpid(pid, 0)
        raise StartError(explain(spec["command"][0], failure))
    return pid


def limit(limits: dict[str, int]) -> None:
    """Set `RLIMIT_…` → value, never above what this process may."""
    for name, value in limits.items():
        number = getattr(resource, name)
        most = resource.getrlimit(number)[1]
        # A second more of processor time: the first limit sends a signal that tells why, the second one kills.
        hard = value + (name == "RLIMIT_CPU")
        hard = hard if most == resource.RLIM_INFINITY else min(hard, most)
        resource.setrlimit(number, (min(value, hard), hard))


def _isolate(spec: dict[str, Any], same_user: bool) -> None:
    machine = syscalls.architecture()
    if machine is None:
        raise OSError(f"no table of system calls for {os.uname().machine}")
    landlock.restrict(
        readable=[
            *spec["readable"],
            *FACTS,
            os.path.join(spec["session"], "inputs"),
            *(path for _, path in spec["inputs"]),
        ],
        writable=[spec["work"], spec["temporary"]],
        devices=DEVICES,
    )
    mute = same_user and landlock.abi() < landlock.SCOPES_SINCE
    seccomp.install(seccomp.program(machine=machine, families=(), same_user=same_user, mute=mute))


def _check_readable(spec: dict[str, Any]) -> None:
    for name, path in spec["inputs"]:
        needed = os.R_OK | (os.X_OK if os.path.isdir(path) else 0)
        if not os.access(path, needed, effective_ids=True):
            raise StartError(f"the input {name} cannot be read by the user that the command runs as")
