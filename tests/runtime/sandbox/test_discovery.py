"""The level is what attacks left of it; the attacks are sharp; level 1 is refused."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Here

from core.errors import SandboxError
from runtime.sandbox import PROPERTIES, Isolation, battery, describe, find_isolation, run
from runtime.sandbox.isolation import NOT_ENFORCED, OTHERS, judged
from runtime.warden import landlock, syscalls

OF_ANYBODY = {
    "a connection to the loopback of the machine",
    "a connection to a socket in the file system",
    "a connection to an abstract socket",
    "a socket of a family that no namespace holds",
    "a secret file outside the inputs",
    "a list of the files outside",
    "writing into an input",
    "a new file in an input",
    "writing outside the working directory",
    "cutting a file outside",
    "a hard link to a file outside",
    "the environment of another process",
    "the command line of another process",
    "the memory of another process",
    "System V shared memory",
    "memory without a name",
}
"""Attacks that anybody wins against nothing."""


def test_an_isolation_is_found_once_and_says_of_each_property_by_what() -> None:
    found = find_isolation()
    assert found is find_isolation()
    assert found.enforced.keys() == PROPERTIES.keys()
    assert found.attacks > 30
    assert Isolation.model_validate_json(found.model_dump_json()) == found


def test_the_level_that_was_found_holds_everything_it_claims(isolated: Here) -> None:
    assert isolated.isolation.level == isolated.level
    assert all(isolated.isolation.holds(name) for name in PROPERTIES), describe(isolated.isolation)


def test_level_one_claims_little_and_is_refused() -> None:
    from commands import here_at

    found = here_at(1).isolation
    assert found.level == 1
    assert not any(found.holds(name) for name in ("net", "files", "kernel"))
    with pytest.raises(SandboxError, match="nobody trusts") as caught:
        run([sys.executable, "-c", ""], isolation=found)
    assert "bubblewrap" in caught.value.hint
    assert run([sys.executable, "-c", ""], isolation=found, trusted=True).exit_code == 0


def test_a_hole_lowers_the_level() -> None:
    whole = dict.fromkeys(PROPERTIES, "something")
    assert [judged(level, whole) for level in (3, 2, 1)] == [3, 2, 1]
    for name in PROPERTIES:
        holed = {**whole, name: f"{NOT_ENFORCED}: it came through"}
        assert judged(3, holed) == (1 if name in OTHERS else 2)
        assert judged(2, holed) == 1


def test_the_attacks_succeed_where_there_is_no_sandbox(tmp_path: Path) -> None:
    """Else the self-check would be one that cannot fail."""
    for folder in ("outside", "inputs/input", "work"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "secret").write_text("token-of-the-test")
    for folder in ("outside", "inputs/input"):
        (tmp_path / folder / "file").write_text("as it was")
    listeners = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    listeners[1].bind(str(tmp_path / "socket"))
    listeners[2].bind("\0token-of-the-test")
    listeners[1].listen()
    listeners[2].listen()
    decoy = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "input()", "decoy"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"TOKEN": "token-of-the-test"},
    )
    targets = {
        "token": "token-of-the-test",
        "secret": str(tmp_path / "secret"),
        "outside": str(tmp_path / "outside"),
        "input": "input",
        "socket": str(tmp_path / "socket"),
        "port": listeners[0].getsockname()[1],
        "decoy": decoy.pid,
        "orphan": "orphan-of-the-test",
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", battery.__file__, "reach"],
        input=json.dumps(targets).encode(),
        cwd=tmp_path / "work",
        capture_output=True,
        check=True,
    )
    for listener in listeners:
        listener.close()
    from commands import alive

    daemons = alive("orphan-of-the-test")
    for pid in daemons:
        os.kill(pid, 9)
    for place in ("/dev/shm", "/var/tmp"):
        Path(place, "token-of-the-test").unlink()
    found = json.loads(done.stdout)
    missed = {name for name in OF_ANYBODY if not found[name]}
    assert not missed
    assert daemons
    assert decoy.wait(5) != 0
    assert (tmp_path / "outside/file").stat().st_mode & 0o777 == 0o777
    if os.getuid() == 0:
        assert [name for name, how in found.items() if how is None] == ["becoming root"]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """Without bubblewrap on the path the next level is taken, and why is kept."""
    code = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parents[3])]!r}
from runtime.sandbox import describe, find_isolation
print("\\n".join(describe(find_isolation())))
"""
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "level 3" not in told.splitlines()[0]
    assert "bubblewrap is not installed" in told
    assert "apt-get install bubblewrap" in told


@pytest.mark.skipif(syscalls.architecture() is None, reason="no table of system calls for this machine")
def test_where_namespaces_are_forbidden_the_next_level_is_found() -> None:
    """As in many containers: bubblewrap is installed and cannot work.  A filter forbids it here."""
    if landlock.abi() == 0:
        pytest.skip("no isolation here at level 2: the kernel has no Landlock")
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
from runtime.sandbox import describe, find_isolation, run
from runtime.warden.kernel import no_new_privileges
from runtime.warden.seccomp import install, program
no_new_privileges()
install(program(machine={syscalls.architecture()!r}, families=(1, 2, 10)))
found = find_isolation()
print("\\n".join(describe(found)))
print(run([sys.executable, "-c", "print(input())"], stdin=b"it runs").stdout)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "level 2 of 3" in told
    assert "no level 3: the command could not be isolated" in told
    assert "it runs" in told


def test_a_description_names_every_property(here: Here) -> None:
    lines = describe(here.isolation)
    assert f"level {here.isolation.level}" in lines[0]
    for name in PROPERTIES:
        assert any(line.split()[0] == name and here.isolation.enforced[name] in line for line in lines[1:])
