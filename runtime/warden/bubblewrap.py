"""Level 3: the command in namespaces of its own, made by bubblewrap (bwrap(1)).

The order matters.  Bubblewrap builds everything and waits; then the warden, which sees the new root through `/proc`,
opens the working directory, puts the files in, sets the limit of processes, and lets go.  The descriptor of the
working directory outlives the namespaces, so that results are read when nothing is alive any more.

A warden of root makes the user namespace itself, with a user of the command's own in it (`runtime.warden.user`);
elsewhere bubblewrap makes it, which also works where a profile allows namespaces to bubblewrap alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import time
from collections.abc import Callable, Mapping

from runtime.warden import seccomp, syscalls
from runtime.warden.confine import limit
from runtime.warden.kernel import CLONE_NEWUSER, unshare
from runtime.warden.user import id_map

TYPE_CHECKING = False  # importing typing costs a tenth of the start
if TYPE_CHECKING:
    from typing import Any

__all__ = ["INPUTS", "TEMPORARY", "WORK", "Bubble", "SetupError"]

WORK, INPUTS, TEMPORARY = "/sandbox/work", "/sandbox/inputs", "/tmp"  # noqa: S108 -- its own, not the machine's
SETUP_DEADLINE_S = 10.0
SHARED_MEMORY_MB = 64
ACCOUNTS = {
    "/etc/passwd": "root:x:0:0::/sandbox/work:/bin/sh\nsandbox:x:{uid}:{uid}::/sandbox/work:/bin/sh\n",
    "/etc/group": "root:x:0:\nsandbox:x:{uid}:\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
}
HELPERS = 2
"""Processes of bubblewrap that count against the limit beside those of the command."""


class SetupError(Exception):
    """The isolation could not be built; the text says why."""


class Bubble:
    """The namespaces, once built: `init` is the pid of their first process, `work` the working directory."""

    def __init__(self, spec: dict[str, Any], private: int | None) -> None:
        self._spec = spec
        self._private = private
        self._question, self._answer = os.pipe()  # bubblewrap waits at the first for a byte in the second
        self.init = 0
        self.work = -1
        self._places: list[int] = []
        self._ready = f"/sandbox/ready-{os.urandom(8).hex()}"  # nobody's root but the new one has it

    def build(self, stdin: int, stdout: int, stderr: int, complaint: Callable[[], str]) -> int:
        """The pid of bubblewrap, which has built everything and waits.  Raises SetupError."""
        told, tell = os.pipe()
        mapped, wait_map = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(wait_map)
                if self._private is not None:
                    unshare(CLONE_NEWUSER)
                    os.write(tell, b"\n")
                    os.read(mapped, 1)
                    self._turn_private()
                for descriptor, number in ((stdin, 0), (stdout, 1), (stderr, 2)):
                    os.dup2(descriptor, number)
                limit(self._spec["rlimits"])
                program = self._spec["bubblewrap"]
                os.execve(program, [program, *self._arguments(tell)], self._environment()[0])  # noqa: S606
            except BaseException as error:  # noqa: BLE001 -- this copy of the warden must never go on
                os.write(2, f"{error}".encode())
            finally:
                os._exit(126)
        for descriptor in (tell, mapped, self._question):
            os.close(descriptor)
        deadline = time.monotonic() + SETUP_DEADLINE_S
        try:
            if self._private is not None:
                self._map(pid, told, wait_map, deadline)
            self.init = _read_pid(told, deadline)
            self._open_places(pid, deadline)
        except (OSError, ValueError, EOFError) as error:
            raise SetupError(complaint() or str(error)) from error
        finally:
            os.close(told)
            os.close(wait_map)
        return pid

    def limit_processes(self, most: int) -> bool:
        """At most `most` processes and threads at once; False where the kernel does not let the warden say so."""
        try:
            resource.prlimit(self.init, resource.RLIMIT_NPROC, (most + HELPERS, most + HELPERS))
        except OSError:
            return False
        return True

    def go(self) -> None:
        """The command starts."""
        os.write(self._answer, b"\n")
        os.close(self._answer)

    def files(self) -> int:
        """How many files there are in all that can be written to."""
        return sum(place.f_files - place.f_ffree for place in map(os.fstatvfs, self._places))

    def _map(self, pid: int, told: int, wait_map: int, deadline: float) -> None:
        if not _readable(told, deadline) or os.read(told, 1) != b"\n":
            raise EOFError("the kernel gives no user namespace")
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/{pid}/{name}", "w") as file:
                file.write(id_map(self._private or 0))
        os.write(wait_map, b"\n")

    def _turn_private(self) -> None:
        """The private user, who is root in the new namespace and nowhere else."""
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        with contextlib.suppress(OSError), open("/proc/sys/user/max_user_namespaces", "w") as file:
            file.write("0")  # the filter denies namespaces as well

    def _environment(self) -> tuple[dict[str, str], dict[str, str]]:
        """What bubblewrap gets (inside, /proc/1/environ shows it), and what its own loader must not get."""
        given: Mapping[str, str] = self._spec["environment"]
        return (
            {name: value for name, value in given.items() if not name.startswith("LD_")},
            {name: value for name, value in given.items() if name.startswith("LD_")},
        )

    def _arguments(self, tell: int) -> list[str]:
        megabyte = 1024 * 1024
        disk = str(int(self._spec["limits"]["disk_mb"] * megabyte))
        shared = str(min(int(disk), SHARED_MEMORY_MB * megabyte))
        machine = syscalls.architecture()
        found = ["--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        if self._private is None:
            found += ["--unshare-user", *(["--disable-userns"] if self._spec["can_disable_userns"] else [])]
        else:
            found += ["--cap-drop", "ALL", "--cap-add", "CAP_DAC_READ_SEARCH"]
        found += ["--hostname", "sandbox", "--die-with-parent", "--new-session"]
        found += ["--size", disk, "--tmpfs", TEMPORARY, "--proc", "/proc", "--dev", "/dev"]
        found += ["--size", shared, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108
        for path, target in self._spec["links"]:
            found += ["--symlink", target, path]
        for path in self._spec["readable"]:
            found += ["--ro-bind", path, path]
        for path, content in ACCOUNTS.items():
            uid = os.getuid() if self._private is None else self._private
            found += ["--ro-bind-data", str(_content(content.format(uid=uid))), path]
        found += ["--dir", INPUTS]
        for name, path in self._spec["inputs"]:
            found += ["--ro-bind", path, f"{INPUTS}/{name}"]
        found += ["--size", disk, "--tmpfs", WORK, "--dir", self._ready, "--remount-ro", "/"]
        for name, value in self._environment()[1].items():
            found += ["--setenv", name, value]
        if machine is not None:
            rules = seccomp.program(machine=machine, families=seccomp.OWN_NETWORK)
            found += ["--seccomp", _inheritable(seccomp.as_file(rules))]
        found += ["--info-fd", _inheritable(tell), "--block-fd", _inheritable(self._question)]
        return [*found, "--chdir", os.path.join(WORK, self._spec["cwd"]), "--", *self._spec["command"]]

    def _open_places(self, pid: int, deadline: float) -> None:
        """Wait until the new root stands, then hold on to what can be written to."""
        root = f"/proc/{self.init}/root"
        while not os.path.isdir(root + self._ready):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) or time.monotonic() > deadline:
                raise EOFError("bubblewrap did not finish")
            time.sleep(0.0003)
        for path in (WORK, TEMPORARY, "/dev/shm"):  # noqa: S108
            self._places.append(os.open(root + path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        self.work = self._places[0]


def _read_pid(told: int, deadline: float) -> int:
    """bubblewrap's first word: the pid, as this process sees it, of the first process inside."""
    text = b""
    while not text.rstrip().endswith(b"}"):
        if not _readable(told, deadline):
            raise EOFError("bubblewrap did not begin in time")
        chunk = os.read(told, 4096)
        if not chunk:
            raise EOFError("bubblewrap ended before it began")
        text += chunk
    return int(json.loads(text)["child-pid"])


def _readable(source: int, deadline: float) -> bool:
    return bool(select.select([source], [], [], max(0.0, deadline - time.monotonic()))[0])


def _content(text: str) -> str:
    descriptor = os.memfd_create("content")
    os.write(descriptor, text.encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return _inheritable(descriptor)


def _inheritable(descriptor: int) -> str:
    os.set_inheritable(descriptor, True)
    return str(descriptor)
