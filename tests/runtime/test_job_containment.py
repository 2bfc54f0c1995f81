"""Jobs that hang, eat, flood, fork and hide: each is ended within its limits and leaves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from job_scripts import HANG_S, MakeSpec, linux, marked, root, run

from core.errors import StorageError
from runtime.jobs import JobResult, JobSpec, start
from runtime.keeper import tree

pytestmark = linux


def test_a_hanging_job_ends_at_its_time_limit(make_spec: MakeSpec) -> None:
    result = run(make_spec("import time; time.sleep(600)", limits={"time_s": 0.5}))
    assert (result.status, result.cause) == ("failed", "time")
    assert "0.5 s" in result.reason
    assert result.duration_s >= 0.5


def test_a_job_that_ignores_signals_and_stops_itself_ends_too(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import os, signal
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGSTOP)
        """,
        limits={"time_s": 0.5},
    )
    assert run(spec).cause == "time"
    assert marked(spec) == []


def test_memory_of_the_whole_tree_is_bounded(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import os, time
        for _ in range(3):
            if os.fork() == 0:
                block = bytearray(os.urandom(1)) * (40 << 20)
                time.sleep(600)
        time.sleep(600)
        """,
        limits={"memory_mb": 100, "time_s": 30},
    )
    result = run(spec)
    assert (result.status, result.cause) == ("failed", "memory")
    assert "100 MB" in result.reason
    assert result.peak_memory_mb > 100
    assert marked(spec) == []


def test_pages_that_processes_share_count_once(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import os, time
        block = bytearray(b"x") * (60 << 20)
        children = [pid for _ in range(4) if (pid := os.fork()) or time.sleep(0.6) or os._exit(0)]
        for pid in children:
            os.waitpid(pid, 0)
        print('{"auc": 1}')
        """,
        limits={"memory_mb": 200, "time_s": 30},
        metrics_required=("auc",),
    )
    result = run(spec)
    assert result.status == "ok", result.reason
    assert 60 < result.peak_memory_mb < 200


def test_a_daemon_by_double_fork_does_not_outlive_the_job(make_spec: MakeSpec, tmp_path: Path) -> None:
    pid_file = tmp_path / "daemon.pid"
    spec = make_spec(
        f"""
        import os, sys, time
        ready, done = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                with open({str(pid_file)!r}, "w") as file:
                    file.write(str(os.getpid()))
                os.write(done, b"x")
                os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"], {{}})
            os._exit(0)
        os.wait()
        os.read(ready, 1)
        print('{{"auc": 1}}')
        """,
        metrics_required=("auc",),
    )
    result = run(spec)
    assert result.status == "ok"
    assert result.isolation["orphans"] == "none left"
    assert result.isolation["processes"] == "subreaper"
    assert not Path(f"/proc/{pid_file.read_text()}").exists()  # its environment, and so its mark, was empty
    assert marked(spec) == []


def test_a_fork_bomb_is_bounded(make_spec: MakeSpec) -> None:
    """The bomb has a fuse of its own, so that a broken keeper does not take the machine down."""
    spec = make_spec(
        """
        import os, time
        for _ in range(9):
            os.fork()
            time.sleep(0.02)
        time.sleep(600)
        """,
        limits={"processes": 20, "time_s": 60},
    )
    result = run(spec)
    assert (result.status, result.cause) == ("failed", "processes")
    assert "its limit of 20" in result.reason
    assert marked(spec) == []


def test_a_fork_bomb_without_pause_is_ended_before_it_holds_up_the_machine(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import os, time
        for _ in range(13):  # up to 8192 processes: the fuse
            os.fork()
        time.sleep(600)
        """,
        limits={"time_s": 60},
    )
    result = run(spec)
    assert (result.status, result.cause) == ("failed", "processes")
    assert result.isolation["orphans"] == "none left"
    assert marked(spec) == []


def test_a_bomb_that_forks_while_it_is_killed(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import os, time
        print("up", flush=True)
        end = time.monotonic() + 20
        while time.monotonic() < end:  # each generation lives shortly and leaves by setsid and fork
            if os.fork():
                os._exit(0) if os.getpid() != int(os.environ.get("FIRST", "0")) else None
            os.setsid()
        """,
        command=("/bin/sh", "-c", f"{sys.executable} ../../j-1.py & sleep 1"),
        limits={"time_s": 30},
    )
    result = run(spec)
    assert (result.status, result.exit_code) == ("ok", 0)
    assert result.isolation["orphans"] == "none left"
    assert marked(spec) == []


def test_a_flood_of_output_is_bounded_on_disk_and_ended(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import sys
        sys.stdout.write("the beginning\\n")
        while True:
            sys.stdout.write("x" * 999 + "\\n")
        """,
        limits={"output_mb": 20, "time_s": 60},
        keep_bytes=256 * 1024,
    )
    result = run(spec)
    assert (result.status, result.cause) == ("failed", "output")
    log = (spec.directory / "stdout.log").read_bytes()
    assert len(log) <= 256 * 1024
    assert log.startswith(b"the beginning\n")
    assert b"bytes cut here" in log
    assert log.endswith((b"x", b"\n"))


def test_long_output_keeps_both_ends(make_spec: MakeSpec) -> None:
    spec = make_spec("for i in range(100_000): print(f'line {i:06d}')", keep_bytes=64 * 1024)
    assert run(spec).status == "ok"
    log = (spec.directory / "stdout.log").read_text()
    assert len(log) <= 64 * 1024
    assert log.startswith("line 000000\n")
    assert log.endswith("line 099999\n")
    kept = len(log) - len(log[log.index("\n[… ") : log.index(" …]\n") + 4])
    cut = int(log.split("[… ")[1].split(" ")[0])
    assert kept + cut == 100_000 * len("line 000000\n")


def test_a_line_without_end_is_no_metric_and_takes_no_memory(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import sys
        sys.stdout.write('{"auc": 0.1, "x": "')
        for _ in range(30):
            sys.stdout.write("y" * 1_000_000)
        print('"}')
        print('{"auc": 0.9}')
        """,
        metrics_required=("auc",),
    )
    assert run(spec).metrics == {"auc": 0.9}


def test_a_file_beyond_its_limit(make_spec: MakeSpec) -> None:
    result = run(make_spec(command=("/bin/sh", "-c", "head -c 3000000 /dev/zero > big"), file_mb=1))
    assert result.status == "failed"
    assert result.isolation["disk"] == "files of at most 1 MB"


def test_cancel_lets_the_job_clean_up(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import signal, sys, time
        def bye(*_):
            print('{"saved": 1}')
            sys.exit(0)
        signal.signal(signal.SIGTERM, bye)
        print('{"step": 1}')
        time.sleep(600)
        """
    )
    result = _cancel_after_first_report(spec)
    assert (result.status, result.cause, result.metrics) == ("cancelled", "", {"saved": 1.0})
    assert marked(spec) == []


def test_cancel_ends_a_job_that_does_not_listen(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print('{"step": 1}')
        time.sleep(600)
        """
    )
    result = _cancel_after_first_report(spec)
    assert (result.status, result.exit_code) == ("cancelled", -9)
    assert marked(spec) == []


def _cancel_after_first_report(spec: JobSpec) -> JobResult:
    async def main() -> JobResult:
        async with asyncio.timeout(HANG_S):
            running = await start(spec)
            async for _ in running.reports():
                break
            return await running.cancel()

    return asyncio.run(main())


def test_without_a_subreaper_the_process_group_ends_and_the_result_says_so(make_spec: MakeSpec) -> None:
    spec = make_spec(
        command=("/bin/sh", "-c", "sleep 600 & sleep 600"), limits={"time_s": 0.5}, containment="process group"
    )
    result = run(spec)
    assert result.cause == "time"
    assert result.isolation["processes"] == "process group"
    assert result.isolation["memory"] == "none"
    assert result.isolation["orphans"] == "unknown"
    assert marked(spec) == []


def test_descendants_are_found_without_the_kernels_list() -> None:
    """Both ways to list children agree, on a tree of three generations."""
    child = subprocess.Popen(["/bin/sh", "-c", "(sleep 60; true) & echo up; wait"], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        deadline = time.monotonic() + 10
        while len(tree.descendants(child.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        scanned = tree._children_by_scan()
        found, todo = set(), [child.pid]
        while todo:
            new = scanned(todo.pop())
            found |= set(new)
            todo += new
        assert found == tree.descendants(child.pid)
        assert len(found) == 2
    finally:
        for pid in tree.descendants(child.pid) | {child.pid}:
            os.kill(pid, 9)
        child.wait()
        child.stdout.close() if child.stdout else None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "experiments"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(path)], check=False).returncode:
        pytest.skip("SKIPPED: a small disk cannot be mounted here")
    yield path
    subprocess.run(["umount", str(path)], check=True)


@root
def test_a_disk_that_fills_up_under_the_job(make_spec: MakeSpec, small_disk: Path) -> None:
    spec = make_spec(
        """
        print('{"step": 1, "auc": 0.5}', flush=True)
        with open("model.bin", "wb", buffering=0) as file:
            while True:
                file.write(bytes(65536))
        """,
        metrics_required=("auc",),
    )
    result = run(spec)
    assert (result.status, result.cause) == ("failed", "disk")
    assert "No space left on device" in result.reason
    assert result.metrics == {"auc": 0.5}


@root
def test_a_disk_that_is_full_when_the_job_starts(make_spec: MakeSpec, small_disk: Path) -> None:
    with (small_disk / "fill").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(65536)):
            pass
    spec = make_spec("print('{\"auc\": 1}')", metrics_required=("auc",))
    with pytest.raises(StorageError) as caught:
        run(spec)
    assert "No space left" in str(caught.value)
    assert caught.value.hint
    (small_disk / "fill").unlink()
    assert run(spec).status == "ok"


def test_a_directory_that_cannot_be_made(make_spec: MakeSpec, tmp_path: Path) -> None:
    (tmp_path / "experiments").write_text("in the way")
    spec = make_spec("")

    async def main() -> None:
        await start(spec)

    with pytest.raises(StorageError, match="cannot be written"):
        asyncio.run(main())
