"""What of the machine a command may see: system libraries, and this interpreter with its packages.

Only the parts of an installation that run programs, never its root: a virtual environment, and a container's `/usr`,
may have a repository or a state folder beside them.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import NamedTuple

__all__ = ["Visible", "visible"]

SYSTEM = (
    "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec", "/usr/share",
    "/usr/include", "/usr/local/bin", "/usr/local/lib", "/usr/local/lib64",
    "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime",
)  # fmt: skip
PARTS = ("bin", "lib", "lib64", "include", "share", "pyvenv.cfg")
"""Of a Python installation."""


class Visible(NamedTuple):
    """`paths` are shown where they are, read-only; `links` are (path, target) at the top, such as /bin → usr/bin."""

    paths: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


@functools.cache
def visible() -> Visible:
    paths: list[str] = []
    links: list[tuple[str, str]] = []
    for name in SYSTEM:
        path = Path(name)
        if path.is_symlink() and path.parent == Path("/"):
            links.append((name, str(path.readlink())))
        elif path.exists():
            paths.append(name)
    for prefix in _installations():
        paths += [str(prefix / part) for part in PARTS if (prefix / part).exists()]
    return Visible(tuple(_outermost(paths)), tuple(links))


def _installations() -> list[Path]:
    """The prefixes of this interpreter: its environment's, its base's, and those on the way of links to its program."""
    found = [Path(sys.prefix), Path(sys.base_prefix)]
    program = Path(sys.executable)
    for _ in range(40):  # as many links as the kernel follows
        found.append(program.parent.parent)
        if not program.is_symlink():
            break
        program = program.parent / program.readlink()
    return list(dict.fromkeys([*found, *(path.resolve() for path in found)]))


def _outermost(paths: list[str]) -> list[str]:
    """Without those that lie below another."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not (kept and Path(path).is_relative_to(kept[-1])):
            kept.append(path)
    return kept
