"""Numbers of the system calls that the filter knows, by name: on x86-64 and on 64-bit ARM."""

from __future__ import annotations

import os

__all__ = ["ARCHITECTURES", "DENIED", "MISSING", "PRETENDED", "architecture", "number"]

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""Machine name → the value of `AUDIT_ARCH_*` by which the kernel tells a filter who calls."""

_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "_sysctl": (156, None),
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chmod": (90, None),
    "chown": (92, None),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchownat": (260, 54),
    "file_setattr": (469, 469),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "futimesat": (261, None),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "ioprio_set": (251, 30),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "lchown": (94, None),
    "lookup_dcookie": (212, 18),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pivot_root": (155, 41),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "removexattr": (197, 14),
    "removexattrat": (466, 466),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "setpriority": (141, 140),
    "settimeofday": (164, 170),
    "setxattr": (188, 5),
    "setxattrat": (463, 463),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "truncate": (76, 45),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "ustat": (136, None),
    "utime": (132, None),
    "utimensat": (280, 88),
    "utimes": (235, None),
    "vhangup": (153, 58),
}

MISSING = ("clone3", "io_uring_enter", "io_uring_register", "io_uring_setup", "memfd_create", "memfd_secret")
"""Answered with ENOSYS, as by an older kernel, so that libraries take the older way.  The arguments of clone3 are out
of a filter's sight; io_uring opens sockets past it; memory of a memfd counts for no process that does not map it."""

PRETENDED = (
    "chmod", "chown", "fchmodat", "fchmodat2", "fchownat", "file_setattr", "futimesat", "lchown", "lremovexattr",
    "lsetxattr", "removexattr", "removexattrat", "setxattr", "setxattrat", "utime", "utimensat", "utimes",
)  # fmt: skip
"""Changes by path of what Landlock does not guard: modes, owners, times, attributes.  Where the command runs as the
user whose files lie outside, they are answered with success and not carried out: copying with modes goes on."""

DENIED = tuple(
    name
    for name in _NUMBERS
    if name not in MISSING
    and name not in PRETENDED
    and name
    not in {
        "clone",
        "ioctl",
        "ioprio_set",
        "kill",
        "pidfd_open",
        "prlimit64",
        "rt_sigqueueinfo",
        "rt_tgsigqueueinfo",
        "sched_setaffinity",
        "sched_setattr",
        "sched_setparam",
        "sched_setscheduler",
        "setpriority",
        "socket",
        "socketpair",
        "tgkill",
        "truncate",
    }  # fmt: skip -- judged by their arguments
)
"""Answered with EPERM: mounts and namespaces, other processes' memory, the kernel's keys, modules, clocks and tracing,
and System V memory, which outlives whoever made it."""


def architecture() -> str | None:
    """The machine's name where there is a table for it, else None."""
    name = os.uname().machine
    return name if name in ARCHITECTURES else None


def number(name: str, machine: str) -> int | None:
    """The number of a call; None where the machine has no such call."""
    return _NUMBERS[name][0 if machine == "x86_64" else 1]
