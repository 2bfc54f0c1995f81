"""The seccomp filter: its numbers are the kernel's, and the kernel obeys its rules."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.warden import landlock, syscalls
from runtime.warden.seccomp import program

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
YOUNG = {"fchmodat2": 452, "setxattrat": 463, "removexattrat": 466, "open_tree_attr": 467, "file_setattr": 469}
"""Calls that the headers of a distribution may not have yet; their numbers are one for all machines."""

machine = syscalls.architecture()
here = pytest.mark.skipif(machine is None, reason="no table of system calls for this machine")


@pytest.mark.parametrize("name", HEADERS)
def test_numbers_are_those_of_the_headers(name: str) -> None:
    if not HEADERS[name].exists():
        pytest.skip(f"no headers of the kernel here: {HEADERS[name]}")
    pattern = r"#define __NR(?:3264)?_(\w+)\s+(\d+)"
    known = {**YOUNG, **{found[1]: int(found[2]) for found in re.finditer(pattern, HEADERS[name].read_text())}}
    names = [
        *syscalls.DENIED,
        *syscalls.MISSING,
        *syscalls.PRETENDED,
        "clone",
        "ioctl",
        "socket",
        "kill",
        "prlimit64",
        "ioprio_set",
    ]
    numbers = {call: syscalls.number(call, name) for call in names}
    assert numbers == {call: known.get(call) for call in names}


@here
def test_a_program_is_whole_and_ends_in_an_answer() -> None:
    assert machine is not None
    code = program(machine=machine, families=(1,), same_user=True, mute=True)
    assert len(code) % 8 == 0
    assert code[-8] == 6
    assert len(code) // 8 < 4096  # what a kernel takes


def filtered(script: str, **rules: object) -> str:
    """What `script` prints under a filter; run as whoever we are, with no other isolation."""
    code = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parents[3])]!r}
import ctypes, os, resource, signal, socket
from runtime.warden.kernel import no_new_privileges
from runtime.warden.seccomp import install, program
def tried(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return error.strerror
    return "done"
no_new_privileges()
install(program(machine={machine!r}, **{rules!r}))
{script}
"""
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@here
def test_families_are_allowed_one_by_one() -> None:
    script = "print(tried(socket.socket, 1), tried(socket.socket, 2), tried(socket.socketpair))"
    assert filtered(script, families=(1,)) == "done Permission denied done"
    assert filtered(script, families=()) == "Permission denied Permission denied done"


@here
def test_nobody_else_is_limited_and_when_mute_nobody_signalled() -> None:
    """What holds where the command has no user of its own, and Landlock is too young to keep its signals in."""
    script = """
pid = os.getppid()
print(tried(resource.prlimit, pid, resource.RLIMIT_NOFILE, (5, 5)), tried(os.setpriority, 0, pid, 5))
print(tried(os.sched_setaffinity, pid, {0}), tried(resource.setrlimit, resource.RLIMIT_CORE, (0, 0)))
print(tried(os.kill, pid, 0), tried(os.kill, -1, 0), tried(os.pidfd_open, pid), tried(os.killpg, 0, 0))
"""
    denied = "Operation not permitted"
    told = filtered(script, families=(), same_user=True, mute=True).splitlines()
    assert told == [f"{denied} {denied}", f"{denied} done", f"{denied} {denied} {denied} done"]
    told = filtered(script, families=(), same_user=True).splitlines()
    assert told[2].startswith("done done done")


@here
def test_changes_by_path_are_pretended_and_those_of_open_files_are_made(tmp_path: Path) -> None:
    """Landlock guards no modes, owners and times; copying with them goes on all the same."""
    outside = tmp_path / "file"
    outside.write_text("x")
    outside.chmod(0o640)
    os.utime(outside, (1, 1))
    script = f"""
import shutil
path = {str(outside)!r}
print(tried(os.chmod, path, 0o777), tried(os.chown, path, 1, 1), tried(os.utime, path), tried(os.truncate, path, 0))
print(tried(os.setxattr, path, "user.x", b"1"), shutil.copy2(path, path + ".copy") == path + ".copy")
with open(path + ".copy", "r+") as file:
    os.fchmod(file.fileno(), 0o600)
    os.utime(file.fileno(), (2, 2))
"""
    told = filtered(script, families=(), same_user=True).split("\n")
    assert told == ["done done done Operation not permitted", "done True"]
    assert (outside.stat().st_mode & 0o777, outside.stat().st_mtime, outside.stat().st_size) == (0o640, 1, 1)
    copy = outside.with_name("file.copy").stat()
    assert (copy.st_mode & 0o777, copy.st_mtime, copy.st_size) == (0o600, 2, 1)


def test_landlock_says_its_version() -> None:
    assert landlock.abi() >= 0
