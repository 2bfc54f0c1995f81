"""A command reaches nothing that is not its own: each of these really tries."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Here

TRY = """
import errno, os, socket, sys

def tried(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno, "refused")
    return "done"

"""


@pytest.fixture
def decoy() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the caller's user, with a secret in its environment."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE, env={"KEY": "s3cret-of-the-parent"}
    ) as process:
        yield process
        process.kill()


def test_no_listener_of_this_machine_is_reached(isolated: Here, tmp_path: Path) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    named, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    named.bind(str(tmp_path / "s"))
    abstract.bind(f"\0{tmp_path}")
    with listening, named, abstract:
        for listener in (named, abstract):
            listener.listen()
        answer = isolated.says(
            TRY
            + """
port, path = int(sys.argv[1]), sys.argv[2]
def connect(family, address):
    with socket.socket(family) as client:
        client.connect(address)
print(tried(connect, socket.AF_INET, ("127.0.0.1", port)), tried(connect, socket.AF_UNIX, path + "/s"),
      tried(connect, socket.AF_UNIX, "\\0" + path))
            """,
            str(listening.getsockname()[1]),
            str(tmp_path),
        )
        assert "done" not in answer
        listening.settimeout(0)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_no_socket_that_a_namespace_does_not_hold(isolated: Here) -> None:
    answer = isolated.says(
        TRY
        + """
for name, kind in (("AF_VSOCK", 1), ("AF_NETLINK", 3), ("AF_PACKET", 3), ("AF_ALG", 5), ("AF_BLUETOOTH", 3)):
    print(tried(socket.socket, getattr(socket, name, 31), kind))
        """
    )
    assert set(answer.split()) == {"EACCES"}


def test_a_pair_of_sockets_within_still_works(isolated: Here) -> None:
    """asyncio needs one."""
    script = "import asyncio; print(asyncio.run(asyncio.sleep(0, 'ran')))"
    assert isolated.says(script) == "ran"


def test_own_loopback_works_in_namespaces(isolated: Here) -> None:
    script = "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname())"
    result = isolated.python(script)
    assert result.exit_code == (0 if isolated.level == 3 else 1)


def test_no_file_outside_is_read_written_or_listed(isolated: Here, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    (tmp_path / "secret").chmod(0o666)
    tmp_path.chmod(0o777)
    answer = isolated.says(
        TRY
        + """
place = sys.argv[1]
print(tried(open, place + "/secret"), tried(open, place + "/secret", "a"), tried(open, place + "/new", "w"),
      tried(os.listdir, place), tried(os.listdir, "/var/log"), tried(os.listdir, "/home"),
      tried(os.listdir, "/etc/ssh"),
      tried(os.truncate, place + "/secret", 0), tried(os.rename, place + "/secret", "mine"),
      tried(os.link, place + "/secret", "mine"), tried(os.unlink, place + "/secret"), tried(os.mkdir, "/new"),
      tried(os.mkdir, "../new"), tried(os.listdir, "/sys/class"), tried(open, "/dev/mem"), tried(open, "/etc/shadow"))
        """,
        str(tmp_path),
    )
    assert "done" not in answer.split(), answer
    assert (tmp_path / "secret").read_text() == "s3cret"
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_this_repository_is_not_seen(isolated: Here) -> None:
    root = Path(__file__).parents[3]
    script = "import sys; open(sys.argv[1] + '/pyproject.toml')"
    result = isolated.python(script, str(root))
    assert result.exit_code == 1
    assert b"pyproject" in result.stderr


def test_inputs_cannot_be_changed(isolated: Here, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "file").write_text("as it was")
    given.chmod(0o777)
    (given / "file").chmod(0o666)
    answer = isolated.says(
        TRY
        + """
place = "../inputs/given"
print(open(place + "/file").read())
tried(os.chmod, place + "/file", 0o777)
print(tried(open, place + "/file", "w"), tried(open, place + "/new", "w"), tried(os.unlink, place + "/file"),
      tried(os.rename, place + "/file", place + "/other"), tried(os.truncate, place + "/file", 0),
      tried(os.symlink, "/", place + "/link"))
        """,
        inputs={"given": given},
    )
    assert answer.startswith("as it was\n")
    assert "done" not in answer
    assert [(path.name, path.read_text(), path.stat().st_mode & 0o777) for path in given.iterdir()] == [
        ("file", "as it was", 0o666)
    ]


def test_private_files_of_the_caller_can_be_inputs(here: Here, tmp_path: Path) -> None:
    """The command may run as another user than the caller, and still reads what it was given."""
    tmp_path.chmod(0o700)
    (tmp_path / "private").write_text("for my eyes")
    (tmp_path / "private").chmod(0o600)
    script = "print(open('../inputs/dir/private').read(), open('../inputs/one').read())"
    answer = here.says(script, inputs={"dir": tmp_path, "one": tmp_path / "private"})
    assert answer == "for my eyes for my eyes"


def test_no_environment_of_others_is_read(isolated: Here, decoy: subprocess.Popen[bytes]) -> None:
    os.environ["RATCHET_TEST_TOKEN"] = "s3cret-of-the-parent"
    try:
        answer = isolated.says(
            """
            import os
            found = [dict(os.environ)]
            try:
                names = os.listdir("/proc")
            except OSError:
                names = range(1, 1 << 16)
            for name in names:
                for file in ("environ", "cmdline"):
                    try:
                        found.append(open(f"/proc/{name}/{file}").read())
                    except OSError:
                        pass
            print(found)
            """,
            environment={"GIVEN": "yes"},
        )
    finally:
        del os.environ["RATCHET_TEST_TOKEN"]
    assert "s3cret" not in answer
    assert "'GIVEN': 'yes'" in answer
    assert "RATCHET_TEST" not in answer
    assert str(decoy.pid) not in answer


def test_no_other_process_is_ended_traced_or_limited(isolated: Here, decoy: subprocess.Popen[bytes]) -> None:
    answer = isolated.says(
        TRY
        + """
import ctypes, resource, signal
pid = int(sys.argv[1])
print(tried(os.kill, pid, 9), tried(os.kill, -pid, 9), tried(resource.prlimit, pid, resource.RLIMIT_NOFILE, (5, 5)),
      tried(os.sched_setaffinity, pid, {0}), tried(os.pidfd_open, pid),
      "done" if ctypes.CDLL(None).ptrace(16, pid, None, None) == 0 else "refused")
        """,
        str(decoy.pid),
    )
    assert answer.split()[0] != "done"
    assert decoy.poll() is None
    assert os.sched_getaffinity(decoy.pid) == os.sched_getaffinity(0)
    assert answer.split()[5] == "refused"


def test_a_signal_to_everybody_stays_within(isolated: Here) -> None:
    """SIGURG, which nobody minds, except this decoy."""
    code = "import signal, sys, time; signal.signal(23, lambda *_: sys.exit(7)); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", code], stdout=subprocess.PIPE) as decoy:
        assert decoy.stdout is not None
        decoy.stdout.readline()
        isolated.says(TRY + "import signal; tried(os.kill, -1, signal.SIGURG)")
        with pytest.raises(subprocess.TimeoutExpired):
            decoy.wait(0.2)
        decoy.send_signal(signal.SIGURG)
        assert decoy.wait(10) == 7


@pytest.mark.parametrize(
    "attempt",
    [
        "libc.mount(b'none', b'.', b'tmpfs', 0, None)",
        "libc.umount2(b'/proc', 2)",
        "libc.unshare(0x10000000)",
        "libc.unshare(0x00020000)",
        "libc.setns(os.open('.', os.O_RDONLY), 0)",
        "libc.chroot(b'.')",
        "libc.sethostname(b'x', 1)",
        "libc.shmget(0, 4096, 0o1600)",
        "libc.syscall(56 if x86 else 220, 0x10000000 | 17, 0, 0, 0, 0)",
        "libc.syscall(435, b'\\0' * 88, 88)",
        "libc.syscall(425, 1, b'\\0' * 120)",
        "libc.syscall(250 if x86 else 219, 0, -3, 1)",
        "libc.syscall(304 if x86 else 265, 3, b'\\0' * 20, 0)",
        "libc.syscall(319 if x86 else 279, b'x', 0)",
        "libc.syscall(321 if x86 else 280, 0, None, 0)",
        "libc.ptrace(0, 0, None, None)",
        "libc.setuid(0) if os.getuid() else -1",
    ],
)
def test_the_kernel_gives_nothing_away(isolated: Here, attempt: str) -> None:
    script = f"""
        import ctypes, os
        libc, x86 = ctypes.CDLL(None), os.uname().machine == "x86_64"
        print({attempt})
        """
    assert isolated.says(script) == "-1"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="only x86-64 has a second set of numbers")
def test_system_calls_by_their_other_numbers_end_the_process(isolated: Here) -> None:
    """The x32 numbers would pass a filter that looks at the plain ones only."""
    result = isolated.python("import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 41, 1, 1, 0)")
    assert (result.ended, result.signal) == ("signal", 31)


def test_no_rights_are_gained_by_a_setuid_program(here: Here) -> None:
    no_new_privileges = 39
    assert here.says(f"import ctypes; print(ctypes.CDLL(None).prctl({no_new_privileges}, 0, 0, 0, 0))") == "1"


def test_it_is_not_root_of_the_machine(here: Here) -> None:
    if os.getuid() != 0:
        pytest.skip("only a caller that is root could leave it root")
    script = "import os; os.mkdir('of-mine'); print(os.stat('of-mine').st_uid, os.getuid())"
    owner, me = map(int, here.says(script).split())
    assert owner == me
    outside = me if here.level < 3 else int(here.says("print(open('/proc/self/uid_map').read())").split()[1])
    assert outside != 0


def test_only_the_three_streams_are_open(here: Here) -> None:
    script = """
        import os
        def is_open(number):
            try:
                return os.fstat(number) is not None
            except OSError:
                return False
        print([number for number in range(256) if is_open(number)])
        """
    assert here.says(script) == "[0, 1, 2]"
