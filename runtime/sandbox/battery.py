"""The attacks of the self-check, as a program of the standard library that runs *inside* the sandbox.

`battery.py reach` tries to reach what belongs to others and prints a JSON object, attack → how it succeeded, null when
it was held off; it also leaves a daemon behind.  `battery.py bomb | fill | eat` use too much.  What there is to attack
(`discovery` puts it out) comes as JSON on stdin.  No attack harms the machine when it succeeds.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

__all__ = ["ATTACKS"]

Targets = dict[str, Any]
Attack = Callable[[Targets], object]
ATTACKS: dict[str, tuple[str, Attack]] = {}
"""Attack → (property, what tries it): something true is success, an OSError or something false is failure."""

MEGABYTE = 1024 * 1024
FUSE_S = 5.0
"""An attack of `bomb`, `fill` or `eat` that nobody stops gives up after so long."""


def attack(name: str, of: str) -> Callable[[Attack], Attack]:
    def add(function: Attack) -> Attack:
        ATTACKS[name] = (of, function)
        return function

    return add


def connect(family: int, address: object) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(0.3)
        client.connect(address)  # type: ignore[arg-type]  # what an address is depends on the family
        return True


@attack("a connection to the loopback of the machine", "net")
def tcp(targets: Targets) -> object:
    return connect(socket.AF_INET, ("127.0.0.1", targets["port"]))


@attack("a connection to a socket in the file system", "net")
def unix(targets: Targets) -> object:
    return connect(socket.AF_UNIX, targets["socket"])


@attack("a connection to an abstract socket", "net")
def abstract(targets: Targets) -> object:
    return connect(socket.AF_UNIX, f"\0{targets['token']}")


@attack("a socket of a family that no namespace holds", "net")
def families(_: Targets) -> object:
    for name, kind in (("AF_VSOCK", 1), ("AF_NETLINK", 3), ("AF_PACKET", 3), ("AF_ALG", 5)):
        with contextlib.suppress(OSError, AttributeError):
            socket.socket(getattr(socket, name), kind).close()
            return name
    return None


@attack("a secret file outside the inputs", "files")
def secret(targets: Targets) -> object:
    ways = [targets["secret"], *(f"/proc/{pid}/root{targets['secret']}" for pid in (targets["decoy"], os.getppid(), 1))]
    for path in ways:
        with contextlib.suppress(OSError), open(path) as file:  # noqa: PTH123 -- pathlib costs a fifth of the start
            return file.read() == targets["token"]
    return None


@attack("a list of the files outside", "files")
def listing(targets: Targets) -> object:
    return os.listdir(os.path.dirname(targets["secret"]))  # noqa: PTH120, PTH208


@attack("writing into an input", "files")
def write_input(targets: Targets) -> object:
    with contextlib.suppress(OSError):
        os.chmod(f"../inputs/{targets['input']}/file", 0o666)  # noqa: PTH101, S103
    with open(f"../inputs/{targets['input']}/file", "a") as file:  # noqa: PTH123
        return file.write("x")


@attack("a new file in an input", "files")
def add_input(targets: Targets) -> object:
    with open(f"../inputs/{targets['input']}/new", "w") as file:  # noqa: PTH123
        return file.write("x")


@attack("writing outside the working directory", "files")
def write_outside(targets: Targets) -> object:
    with open(f"{targets['outside']}/new", "w") as file:  # noqa: PTH123
        return file.write("x")


@attack("cutting a file outside", "files")
def cut_outside(targets: Targets) -> object:
    os.truncate(f"{targets['outside']}/file", 0)
    return True


@attack("a hard link to a file outside", "files")
def link_outside(targets: Targets) -> object:
    os.link(f"{targets['outside']}/file", "stolen")
    return True


def leave_traces(targets: Targets) -> None:
    """What only the other side can see: changed rights, forgotten files, a link where an output is asked for."""
    with contextlib.suppress(OSError):
        os.chmod(f"{targets['outside']}/file", 0o777)  # noqa: PTH101, S103
    for place in ("/dev/shm", "/var/tmp"):  # noqa: S108
        with contextlib.suppress(OSError), open(f"{place}/{targets['token']}", "w") as file:  # noqa: PTH123
            file.write("x")
    os.symlink(targets["secret"], "link")  # noqa: PTH211
    os.mkdir("way")  # noqa: PTH102
    os.rmdir("way")  # noqa: PTH106
    os.symlink(os.path.dirname(targets["secret"]), "way")  # noqa: PTH120, PTH211


@attack("the environment of another process", "environment")
def environ(targets: Targets) -> object:
    names = [str(targets["decoy"])]
    with contextlib.suppress(OSError):
        names += os.listdir("/proc")  # noqa: PTH208
    for name in names:
        with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:  # noqa: PTH123
            if targets["token"].encode() in file.read():
                return f"of process {name}"
    return None


@attack("the command line of another process", "environment")
def command_line(targets: Targets) -> object:
    with open(f"/proc/{targets['decoy']}/cmdline", "rb") as file:  # noqa: PTH123
        return b"decoy" in file.read()


@attack("the memory of another process", "environment")
def memory(targets: Targets) -> object:
    if targets["decoy"] in (os.getpid(), os.getppid(), 1):
        return None  # in a young process namespace the number is one of ours
    return libc.ptrace(PTRACE_SEIZE, targets["decoy"], None, None) == 0


def disturb(targets: Targets) -> None:
    """Whether it worked shows on the other side.  A pid that is ours in here is left alone."""
    pid = targets["decoy"]
    if pid not in (os.getpid(), os.getppid(), 1):
        for change in (
            lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (7, 7)),
            lambda: os.kill(pid, 15),
        ):
            with contextlib.suppress(OSError):
                change()


libc = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE = 0x4206
CALLS = {  # number on x86-64, number on ARM, arguments
    "a user namespace of its own": (272, 97, (0x10000000,)),
    "a key in the kernel's keyring": (248, 217, (b"user", b"ratchet", b"x", 1, -2)),
    "a BPF map": (321, 280, (0, ctypes.create_string_buffer(b"".join(bytes([n, 0, 0, 0]) for n in (2, 4, 4, 1))), 16)),
    "io_uring": (425, 425, (1, ctypes.create_string_buffer(120))),
    "memory without a name": (319, 279, (b"x", 0)),
    "page faults by hand": (323, 282, (1,)),
    "another root directory": (161, 51, (b".",)),
    "performance counters": (298, 241, (ctypes.create_string_buffer(b"\1\0\0\0\200", 128), 0, -1, -1, 0)),
}


def call(number: int, arm: int, arguments: tuple[Any, ...]) -> object:
    chosen = arm if os.uname().machine == "aarch64" else number
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return apart(lambda: libc.syscall(ctypes.c_long(chosen), *words) >= 0)


def apart(action: Callable[[], object]) -> bool:
    """Whether it succeeds, in a process of its own: a new root or namespace must not change what comes after."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if action() else 1)
        except OSError:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


for _name, _call in CALLS.items():
    ATTACKS[_name] = ("kernel", lambda _, _call=_call: call(*_call))  # type: ignore[misc]


@attack("mounting", "kernel")
def mount(_: Targets) -> object:
    """On the working directory, and taken away again."""
    return libc.mount(b"none", b".", b"tmpfs", 0, None) == 0 and libc.umount2(b".", 2) == 0


@attack("System V shared memory", "kernel")
def shared_memory(_: Targets) -> object:
    """It would outlive everybody, so it is taken away again."""
    segment = libc.shmget(0, 4096, 0o1600)
    return segment >= 0 and libc.shmctl(segment, 0, None) == 0


@attack("the kernel's settings", "kernel")
def settings(_: Targets) -> object:
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger"):
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_WRONLY))  # opened, never written
            return path
    return None


@attack("becoming root", "kernel")
def root(_: Targets) -> object:
    if os.getuid() == 0:  # root of a namespace, if any: what it may do is tried above
        return None
    return apart(lambda: libc.setuid(0) == 0)


def daemon(targets: Targets) -> None:
    """A process in a session of its own, without parents, with nothing of ours open and an empty environment."""
    done, say = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.close(done)
            for descriptor in (0, 1, 2):
                os.close(descriptor)
            os.write(say, b"x")
            code = "import time; time.sleep(30)"
            os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", code, targets["orphan"]], {})  # noqa: S606
        os._exit(0)
    os.read(done, 1)


def reach(targets: Targets) -> None:
    """Each attack once; the most harmful last.  Our own process may be traced by none, so `memory` comes in order."""
    found: dict[str, str | None] = {}
    for name, (_, function) in ATTACKS.items():
        try:
            result = function(targets)
        except OSError:
            result = None
        found[name] = (result if isinstance(result, str) else "done") if result else None
    leave_traces(targets)
    daemon(targets)
    print(json.dumps(found), flush=True)
    disturb(targets)


def bomb(targets: Targets) -> None:
    """Forks until it is refused, and says how many lived at once."""
    alive = 0
    with contextlib.suppress(OSError):
        while alive < targets["processes"] + 20:
            if os.fork() == 0:
                time.sleep(FUSE_S)
                os._exit(0)
            alive += 1
    if alive > targets["processes"]:
        time.sleep(FUSE_S)  # to be seen by whoever samples
    print(alive, flush=True)
    os._exit(0)


def fill(targets: Targets) -> None:
    """Writes until it is refused, and says how much it wrote, in megabytes."""
    written = 0
    with contextlib.suppress(OSError):
        for number in range(targets["disk_mb"] + 8):
            with open(f"file-{number}", "wb") as file:  # noqa: PTH123
                file.write(bytes(MEGABYTE))
                written += 1
    if written > targets["disk_mb"]:
        time.sleep(FUSE_S)
    print(written, flush=True)


def eat(targets: Targets) -> None:
    """Two processes that together use more memory than may be."""
    os.fork()
    block = bytearray(os.urandom(1)) * (targets["memory_mb"] * 3 // 4 * MEGABYTE)
    time.sleep(FUSE_S)
    print(len(block))


if __name__ == "__main__":
    {"reach": reach, "bomb": bomb, "fill": fill, "eat": eat}[sys.argv[1]](json.load(sys.stdin))
