"""A command that uses too much is ended or refused, the tree counted as one."""

from __future__ import annotations

import pytest
from commands import Here


def test_memory_of_many_small_processes_counts_together(here: Here) -> None:
    result = here.python(
        """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                break
        block = bytearray(os.urandom(1)) * (60 << 20)
        time.sleep(600)
        """,
        limits={"memory_mb": 150},
    )
    assert result.ended == "memory"
    assert "150 MB" in result.reason
    assert 150 < result.peak_memory_mb < 1000


def test_pages_that_processes_share_count_once(here: Here) -> None:
    result = here.python(
        """
        import os, time
        block = bytearray(b"x") * (60 << 20)
        children = [pid for _ in range(4) if (pid := os.fork()) or time.sleep(0.6) or os._exit(0)]
        for pid in children:
            os.waitpid(pid, 0)
        """,
        limits={"memory_mb": 200},
    )
    assert (result.ended, result.exit_code) == ("exit", 0), result.reason
    assert 60 < result.peak_memory_mb < 200


def test_one_great_leap_in_memory_is_refused_by_the_kernel(here: Here) -> None:
    """Between two samples too: an allocation of far more than the limit fails at once."""
    result = here.python("bytearray(b'x') * (4 << 30)", limits={"memory_mb": 100})
    assert result.ended in ("exit", "memory")
    assert result.exit_code != 0
    assert result.peak_memory_mb < 1000


def test_memory_that_was_used_for_a_moment_counts(here: Here) -> None:
    script = "import os; b = bytearray(b'x') * (200 << 20); del b; os._exit(0)"
    assert here.python(script, limits={"memory_mb": 120}).ended == "memory"


def test_a_bomb_of_processes_is_bounded(here: Here) -> None:
    """The bomb has a fuse of its own, so that a broken sandbox does not take the machine down."""
    result = here.python(
        """
        import os, time
        n = 0
        try:
            for n in range(300):
                if os.fork() == 0:
                    time.sleep(5)
                    os._exit(0)
        except OSError:
            print(n)
        else:
            time.sleep(5)
        """,
        limits={"processes": 16},
    )
    if result.ended == "exit":  # the kernel refused
        assert int(result.stdout) <= 16
    else:
        assert result.ended == "processes"


def test_as_many_processes_as_promised_are_given(here: Here) -> None:
    script = """
        import os, time
        children = [pid for _ in range(11) if (pid := os.fork()) or time.sleep(0.3) or os._exit(0)]
        print(len(children))
        """
    assert here.says(script, limits={"processes": 12}) == "11"


@pytest.mark.parametrize("place", [".", "tmp", "unlinked"])
def test_the_disk_is_bounded(here: Here, place: str) -> None:
    result = here.python(
        """
        import os, sys, tempfile, time
        place = sys.argv[1]
        if place == "tmp":
            os.chdir(tempfile.gettempdir())
        held = []
        try:
            for number in range(60):
                held.append(open(f"{number}", "wb", buffering=0))
                held[-1].write(bytes(1 << 20))
                if place == "unlinked":
                    os.unlink(f"{number}")
        except OSError as error:
            print(error.strerror, number)
        else:
            time.sleep(600)
        """,
        place,
        limits={"disk_mb": 20},
    )
    if result.ended == "exit":
        strerror, number = result.stdout.decode().rsplit(maxsplit=1)
        assert "No space" in strerror
        assert int(number) <= 20
    else:
        assert result.ended == "disk"


def test_one_file_is_bounded(here: Here) -> None:
    script = "f = open('big', 'wb')\nfor _ in range(30): f.write(bytes(1 << 20))"
    result = here.python(script, limits={"file_mb": 5})
    assert result.ended == "exit"  # Python ignores the signal and sees the error
    assert b"File too large" in result.stderr
    assert here.python("import signal; signal.signal(25, 0)\n" + script, limits={"file_mb": 5}).ended == "disk"


@pytest.mark.slow
def test_the_number_of_files_is_bounded(here: Here) -> None:
    script = "import time\nfor number in range(70_000): open(str(number), 'w').close()\ntime.sleep(600)"
    assert here.python(script, limits={"time_s": 90}).ended == "disk"


def test_processor_time_of_the_tree_counts_together(here: Here) -> None:
    result = here.python(
        """
        import os
        for _ in range(3):
            os.fork()
        while True:
            pass
        """,
        limits={"cpu_s": 1.0, "time_s": 20},
    )
    assert result.ended == "cpu"
    assert 0.9 < result.cpu_s < 5


def test_a_flood_is_cut_and_ended(here: Here) -> None:
    result = here.python(
        "import sys\nprint('first')\nwhile True: sys.stdout.write('x' * 65536)", limits={"output_mb": 4}
    )
    assert result.ended == "output"
    assert result.stdout.startswith(b"first\n")
    assert b"bytes cut here" in result.stdout
    assert len(result.stdout) < (1 << 20) + 200
    assert result.printed_bytes[0] >= 4 << 20


def test_both_ends_of_much_output_are_kept(here: Here) -> None:
    result = here.python("print('first'); print('x' * 3_000_000); print('last')")
    assert result.ended == "exit"
    assert result.stdout.startswith(b"first\n")
    assert result.stdout.endswith(b"last\n")
    assert result.printed_bytes == (3_000_012, 0)
