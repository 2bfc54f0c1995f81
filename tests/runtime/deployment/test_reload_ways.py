"""Services without a reloader in them: told by a signal, or by a command; health by a URL, or by a command."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.deployment import HealthCheck, LiveTarget, ReloadByCommand, ReloadBySignal
from runtime.deployment import LiveService, Releases, check_health, reload_service
from tests.runtime.deployment.running_service import YES, release, write_code

DAEMON = """
import os, pathlib, signal, sys
folder, pid_file, said = map(pathlib.Path, sys.argv[1:])
def load(*_):
    said.write_text((folder / "current" / "inner" / "numbers.py").read_text())
signal.signal(signal.SIGHUP, load)
load()
pid_file.write_text(str(os.getpid()))
print("up", flush=True)
while True:
    signal.pause()
"""


def target(folder: Path, **fields: Any) -> LiveTarget:
    given = {
        "service": "other",
        "folder": folder,
        "allowed": ("**",),
        "health": {"command": [sys.executable, "-c", ""]},
    }
    return LiveTarget.model_validate({**given, **fields})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Releases(tmp_path / "live").adopt(write_code(tmp_path / "code"))
    return tmp_path / "live"


@pytest.fixture
def daemon(folder: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", DAEMON, str(folder), str(tmp_path / "pid"), str(tmp_path / "said")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def said(path: Path, text: str) -> bool:
    until = time.monotonic() + 30
    while path.read_text() != text:
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_a_signal_tells_a_service_to_read_its_code_again(
    folder: Path, tmp_path: Path, daemon: subprocess.Popen[str]
) -> None:
    live = LiveService(target(folder, reload={"kind": "signal", "pid_file": tmp_path / "pid", "settle_s": 0}))
    state = live.deploy(live.plan(release(2)), release(2), leave=YES)
    assert state.stage == "watching", state.reason
    assert said(tmp_path / "said", "NUMBER = 2\n")
    live.roll_back(state.deployment.id, reason="to see it")
    assert said(tmp_path / "said", "NUMBER = 1\n")


def test_a_signal_never_reaches_another_process_of_that_number(
    folder: Path, tmp_path: Path, daemon: subprocess.Popen[str]
) -> None:
    way = ReloadBySignal(pid_file=tmp_path / "pid", settle_s=0)
    os.utime(tmp_path / "pid", (time.time() - 3600,) * 2)  # written long before the process began
    answer = reload_service(target(folder, reload=way))
    assert not answer.ok
    assert "younger" in answer.reason
    assert daemon.poll() is None
    for text in ("", "x", "-1", "0", "1", "4194305", "99999999999999999999"):
        (tmp_path / "pid").write_text(text)
        assert not reload_service(target(folder, reload=way)).ok
    (tmp_path / "link").symlink_to(tmp_path / "pid")
    assert not reload_service(target(folder, reload=way.model_copy(update={"pid_file": tmp_path / "link"}))).ok


def test_a_command_is_an_argument_list_that_no_shell_reads(folder: Path, tmp_path: Path) -> None:
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    command = (sys.executable, "-c", script, str(tmp_path / "out"), "$(id); `id` > x")
    assert reload_service(target(folder, reload=ReloadByCommand(command=command))).ok
    assert (tmp_path / "out").read_text() == "$(id); `id` > x"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ((sys.executable, "-c", "print('no such unit'); raise SystemExit(3)"), "exit code 3 no such unit"),
        (("/no/such/program",), "does not start"),
        ((sys.executable, "-c", "import time; time.sleep(60)"), "within"),
    ],
)
def test_a_command_that_fails_takes_the_deployment_back(folder: Path, command: tuple[str, ...], why: str) -> None:
    live = LiveService(target(folder, reload=ReloadByCommand(command=command, timeout_s=0.5)))
    before = live.releases.current()
    state = live.deploy(live.plan(release(2)), release(2), leave=YES)
    assert why in state.reason
    assert live.releases.current() == before
    assert not state.finished  # the old code lies there, but the service was not told either


def test_health_is_bounded_whatever_the_service_sends() -> None:
    class Bad(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", "/endless")
            self.end_headers()
            try:
                while self.path in ("/endless", "/slowly"):
                    self.wfile.write(b"x" * (65536 if self.path == "/endless" else 1))
                    if self.path == "/slowly":
                        time.sleep(0.02)
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bad)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        answers = {
            path: check_health(HealthCheck(url=f"{base}{path}", timeout_s=0.3))
            for path in ("/", "/endless", "/slowly", "/away")
        }
    finally:
        server.shutdown()
        server.server_close()
    assert {path: answer.answer for path, answer in answers.items()} == {
        "/": "healthy", "/endless": "healthy", "/slowly": "unhealthy", "/away": "unhealthy",
    }  # fmt: skip
    assert check_health(HealthCheck(url=base)).answer == "unhealthy"
    assert check_health(HealthCheck(command=("/no/such/program",))).answer == "unknown"
    assert check_health(HealthCheck(command=(sys.executable, "-c", "exit(1)"))).answer == "unhealthy"
