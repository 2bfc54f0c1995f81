"""Landlock: a process gives up all rights to files but those it names, for itself and all that it starts (landlock(7)).

What a kernel knows grows with its ABI number; nothing here asks for more than it knows.  Landlock does not hide that
a file exists, nor its size and times (stat), and it does not mediate chmod, chown and the like.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable

from runtime.warden.kernel import syscall

__all__ = ["SCOPES_SINCE", "abi", "restrict"]

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1
RULE_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE = 1 << 4, 1 << 5
MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM = (1 << bit for bit in range(6, 13))
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
BIND_TCP, CONNECT_TCP = 1 << 0, 1 << 1
SCOPE_ABSTRACT_SOCKET, SCOPE_SIGNAL = 1 << 0, 1 << 1
SCOPES_SINCE = 6

READING = EXECUTE | READ_FILE | READ_DIR
WRITING = (
    READING | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_FIFO | MAKE_SYM | REFER | TRUNCATE
)
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""The rights that a rule on something other than a directory may name."""


def abi() -> int:
    """The version of Landlock that the kernel has; 0: none."""
    try:
        return syscall(CREATE_RULESET, None, 0, VERSION_FLAG)
    except OSError:
        return 0


def restrict(*, readable: Iterable[str], writable: Iterable[str], devices: Iterable[str]) -> None:
    """From now on only these paths, and what lies below them, can be opened; a path that is not there is left out.

    From ABI 4 on no TCP port either, and from ABI 6 on no abstract socket and no signal outside.  Raises OSError.
    """
    version = abi()
    known = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    network = BIND_TCP | CONNECT_TCP if version >= 4 else 0
    scopes = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL if version >= SCOPES_SINCE else 0
    size = 8 if version < 4 else 16 if version < SCOPES_SINCE else 24
    ruleset = syscall(CREATE_RULESET, struct.pack("=3Q", known, network, scopes)[:size], size, 0)
    try:
        for paths, rights in ((readable, READING), (writable, WRITING), (devices, READ_FILE | WRITE_FILE)):
            for path in paths:
                _allow(ruleset, path, rights & known)
        syscall(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= OF_FILES
        syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)
