"""The few system calls that Python has no name for."""

from __future__ import annotations

import ctypes
import os
import struct

__all__ = ["keep_only", "no_new_privileges", "prctl", "syscall", "unshare"]

CLONE_NEWUSER = 0x10000000
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
PR_CAPBSET_DROP = 24
PR_SET_KEEPCAPS = 8
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """The result of the call.  Raises OSError."""
    whole = (ctypes.c_long(word) if isinstance(word, int) else word for word in arguments)
    return _checked(int(_libc.syscall(ctypes.c_long(number), *whole)))


def prctl(option: int, *arguments: int) -> int:
    words = [ctypes.c_ulong(word) for word in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(int(_libc.prctl(option, *words)))


def unshare(flags: int) -> None:
    _checked(int(_libc.unshare(flags)))


def no_new_privileges() -> None:
    """No exec of this process or of its children ever gains rights: setuid programs run as anybody."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def keep_only(capability: int | None) -> None:
    """Give up every capability but this one, which also stays across exec.  Raises OSError where it is not held."""
    for number in range(LAST_CAPABILITY + 1):
        if number != capability:
            try:
                prctl(PR_CAPBSET_DROP, number)
            except OSError:  # past the last one that this kernel knows, or not root: there is none to lose
                break
    bits = 0 if capability is None else 1 << capability
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    low, high = bits & 0xFFFFFFFF, bits >> 32
    _checked(int(_libc.capset(header, struct.pack("=6I", low, low, low, high, high, high))))
    if capability is not None:
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
