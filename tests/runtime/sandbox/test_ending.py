"""However a command ends, nothing of it is alive one second later."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest
from commands import Here, alive
from job_scripts import MakeSpec
from job_scripts import run as run_job

from runtime.sandbox import SandboxLimits, run

DAEMON = """
import os, sys, time

def daemon(mark, *, empty=True):
    done, say = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.close(done)
            for number in (0, 1, 2):
                os.close(number)
            code = "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 3, 15)]; time.sleep(600)"
            os.write(say, b"x")
            os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", code, mark], {} if empty else dict(os.environ))
        os._exit(0)
    os.wait()
    os.read(done, 1)

"""


@pytest.fixture(autouse=True)
def own_temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that folders of other tests, which run at the same time, are not taken for ours."""
    place = tmp_path_factory.mktemp("t")
    place.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)


def sessions() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("ratchet-sandbox-*"))


def gone(mark: str) -> bool:
    deadline = time.monotonic() + 1.0
    while alive(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize(
    ("ending", "ended"),
    [
        ("", "exit"),
        ("sys.exit(0)", "exit"),
        ("sys.exit(3)", "exit"),
        ("os._exit(0)", "exit"),
        ("os.abort()", "signal"),
        ("os.kill(os.getpid(), 9)", "signal"),
        ("os.close(1); os.close(2); time.sleep(0.3)", "exit"),
        ("time.sleep(600)", "time"),
        ("os.kill(os.getpid(), 19); time.sleep(600)", "time"),
        ("while True: pass", "cpu"),
        ("while True: print('flood' * 1000)", "output"),
        ("block = bytearray(b'x') * (300 << 20); time.sleep(600)", "memory"),
    ],
)
def test_a_daemon_ends_with_its_command(here: Here, ending: str, ended: str) -> None:
    mark = f"daemon-{secrets.token_hex(8)}"
    limits = {
        "time_s": 1.0 if ended == "time" else 20.0,
        "cpu_s": 1.0 if ended == "cpu" else 100.0,
        "memory_mb": 200,
        "output_mb": 1,
    }
    result = here.python(DAEMON + f"daemon(sys.argv[1])\n{ending}\n", mark, limits=limits)
    assert result.ended == ended, result.reason
    assert gone(mark)
    assert result.orphans == 0


def test_codes_and_signals_are_told_apart(here: Here) -> None:
    assert here.python("import sys; sys.exit(3)").exit_code == 3
    died = here.python("import os; os.kill(os.getpid(), 11)")
    assert (died.exit_code, died.signal) == (None, 11)
    assert "SIGSEGV" in died.reason


def test_a_command_that_is_not_there_never_began(here: Here) -> None:
    result = run(["no-such-program"], isolation=here.isolation, trusted=True)
    assert (result.ended, result.exit_code) == ("start", None)
    assert "no-such-program" in result.reason


def test_a_command_that_kills_its_parents_gains_nothing(here: Here) -> None:
    """At level 1 without a user of its own it can end its warden, but not outlive it."""
    mark = f"daemon-{secrets.token_hex(8)}"
    script = DAEMON + (
        """
daemon(sys.argv[1], empty=False)
for pid in {os.getppid(), 1}:
    for number in (19, 9):
        try:
            os.kill(pid, number)
        except OSError:
            pass
time.sleep(0.2)
print("survived")
"""
    )
    result = here.python(script, mark)
    assert result.ended in (("exit", "lost") if here.level == 1 else ("exit", "signal")), result
    assert gone(mark)


@pytest.mark.parametrize("way", ["kill", "fork"])
def test_nothing_outlives_a_caller_that_is_killed(here: Here, way: str, tmp_path: Path) -> None:
    """Also when a fork of the caller still holds its end of the warden's pipe."""
    mark, before = f"daemon-{secrets.token_hex(8)}", sessions()
    script = DAEMON + "daemon(sys.argv[1]); print('x', flush=True); time.sleep(600)"
    caller = textwrap.dedent(
        f"""
        import os, sys, threading, time
        sys.path[:0] = {[str(Path(__file__).parents[3])]!r}
        from runtime.sandbox import SandboxLimits, assess, run
        isolation = assess({here.level})
        def forks():
            time.sleep(1.0)
            if os.fork() == 0:
                time.sleep(4.0)
                os._exit(0)
        if {way == "fork"}:
            threading.Thread(target=forks).start()
        run([sys.executable, "-c", {script!r}, {mark!r}], isolation=isolation, trusted=True,
            limits=SandboxLimits(time_s=60))
        """
    )
    with subprocess.Popen([sys.executable, "-c", caller], stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 20
        while not alive(mark) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert alive(mark), "the daemon never came"
        time.sleep(1.5 if way == "fork" else 0.0)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert gone(mark)
    deadline = time.monotonic() + 5
    while (left := [path for path in sessions() if path not in before]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left


def test_runs_side_by_side_do_not_end_each_other(here: Here) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(3) as pool:
        runs = [
            pool.submit(here.python, "import sys, time; time.sleep(float(sys.argv[1])); print('whole')", str(wait))
            for wait in (0.1, 0.5, 0.9)
        ]
    assert [one.result().stdout for one in runs] == [b"whole\n"] * 3


def test_the_session_leaves_no_folder(here: Here, tmp_path: Path) -> None:
    before = sessions()
    here.python(
        """
        import os
        for _ in range(1500):
            os.mkdir("deeper")
            os.chdir("deeper")
        os.chmod(".", 0)
        """
    )
    assert sessions() <= before


def test_limits_of_a_caller_below_hold_too(here: Here) -> None:
    """As in a job: its own limits are lower than what the sandbox would give."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        result = run(
            [sys.executable, "-c", "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))"],
            isolation=here.isolation,
            trusted=True,
            limits=SandboxLimits(open_files=4096),
        )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert result.exit_code == 0


def test_it_works_below_the_keeper_of_a_job(here: Here, make_spec: MakeSpec) -> None:
    """A judge is a job: below a subreaper, in a session of its own, with limits."""
    spec = make_spec(
        f"""
        import json, sys
        sys.path[:0] = {[str(Path(__file__).parents[3])]!r}
        from runtime.sandbox import SandboxLimits, assess, run
        isolation = assess({here.level})
        result = run([sys.executable, "-c", "print(6 * 7)"], isolation=isolation, trusted=True,
                     limits=SandboxLimits(time_s=20))
        print(json.dumps({{"answer": int(result.stdout or 0), "level": isolation.level}}))
        """,
        metrics_required=("answer",),
        file_mb=300.0,
    )
    result = run_job(spec)
    assert result.status == "ok", result.reason
    assert result.metrics == {"answer": 42.0, "level": float(here.level)}
    assert result.isolation["orphans"] == "none left"
