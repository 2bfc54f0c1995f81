"""The seccomp filter: a program in the kernel's classic BPF that every system call of the command passes (seccomp(2)).

Built here, word by word, because it needs no library and no compiler: an instruction is `code, jump if true, jump if
false, operand`, and a filter sees `number (0), architecture (4), arguments (16, 24, …)`, all little endian.
A call of another architecture, or of the x32 kind, ends the process: its numbers mean other calls.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Collection, Iterable

from runtime.warden import syscalls
from runtime.warden.kernel import prctl

__all__ = ["install", "program"]

LOAD, EQUAL, AT_LEAST, ANY_BIT, ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL_PROCESS, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
X32 = 0x40000000
NEW_NAMESPACES = 0x7E020080
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and NEWTIME in one word."""
TYPE_INTO_TERMINAL = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: both put keystrokes into the terminal of whoever started this."""
UNIX, INET, INET6 = 1, 2, 10  # importing socket for them costs a tenth of the start
OWN_NETWORK = (UNIX, INET, INET6)
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2

_SETTINGS = {
    "prlimit64": 0, "sched_setaffinity": 0, "sched_setattr": 0, "sched_setparam": 0, "sched_setscheduler": 0,
    "setpriority": 1, "ioprio_set": 1,
}  # fmt: skip
"""Call that changes how a process is treated → which of its arguments is the process; 0 is the caller itself."""
_SIGNALS = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open")

_Instruction = tuple[int, int, int, int]


def program(*, machine: str, families: Collection[int], same_user: bool = False, mute: bool = False) -> bytes:
    """The filter.  `families`: the address families of sockets that are allowed.

    `same_user`: the command runs as somebody who owns other files and processes here.  Then it changes limits and
    priorities of nobody but itself, calls of `syscalls.PRETENDED` are answered without doing them, and no file is cut
    by path, which Landlock learnt late.  `mute`: it sends no signal except to its own group, for where nothing else
    keeps it from ending others.
    """
    code: list[_Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, syscalls.ARCHITECTURES[machine]),
        (ANSWER, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, NUMBER),
    ]
    if machine == "x86_64":
        code += [(AT_LEAST, 0, 1, X32), (ANSWER, 0, 0, KILL_PROCESS)]

    def on(name: str, *then: _Instruction) -> None:
        number = syscalls.number(name, machine)
        if number is not None:
            code.extend([(EQUAL, 0, len(then), number), *then])

    for name in syscalls.MISSING:
        on(name, _error(errno.ENOSYS))
    for name in syscalls.DENIED:
        on(name, _error(errno.EPERM))
    if same_user:
        on("truncate", _error(errno.EPERM))
        # A null path means an open file, which Landlock has judged.
        on("utimensat", *_argument(1), (EQUAL, 0, 1, 0), _allow(), _error(0))
        for name in syscalls.PRETENDED:
            on(name, _error(0))
        for name, index in _SETTINGS.items():
            on(name, *_argument(index), *_accept((0,)), _error(errno.EPERM))
    if mute:
        for name in _SIGNALS:
            on(name, *_argument(0), *_accept((0,)), _error(errno.EPERM))
    on("clone", *_argument(0), (ANY_BIT, 0, 1, NEW_NAMESPACES), _error(errno.EPERM), _allow())
    on("ioctl", *_argument(1), *_refuse(TYPE_INTO_TERMINAL), _allow())
    on("socket", *_argument(0), *_accept(families), _error(errno.EACCES))
    on("socketpair", *_argument(0), *_accept((UNIX,)), _error(errno.EACCES))
    code.append(_allow())
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def install(filter_program: bytes) -> None:
    """This process and all that it starts pass the filter from now on; needs `no_new_privileges` first."""
    import ctypes

    held = ctypes.create_string_buffer(filter_program)
    header = struct.pack("@HP", len(filter_program) // 8, ctypes.addressof(held))
    place = ctypes.create_string_buffer(header)
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(place))


def as_file(filter_program: bytes) -> int:
    """A descriptor from which bubblewrap reads the filter."""
    descriptor = os.memfd_create("filter")
    os.write(descriptor, filter_program)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _argument(index: int) -> list[_Instruction]:
    return [(LOAD, 0, 0, ARGUMENTS + 8 * index)]


def _refuse(words: Iterable[int]) -> list[_Instruction]:
    return [step for word in words for step in ((EQUAL, 0, 1, word), _error(errno.EPERM))]


def _accept(words: Iterable[int]) -> list[_Instruction]:
    return [step for word in words for step in ((EQUAL, 0, 1, word), _allow())]


def _error(number: int) -> _Instruction:
    return ANSWER, 0, 0, ERROR | number


def _allow() -> _Instruction:
    return ANSWER, 0, 0, ALLOW
