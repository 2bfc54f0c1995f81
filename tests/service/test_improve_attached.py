"""`improve` on a service that runs already: a share of the requests gets the fix first, then all."""

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Cli, Running, call_process

import runtime.deployment.reloader as reloader_module
from agents.live.learning_engine import LearningEngine
from core.errors import BusyError
from memory.state_folder import StateFolder
from runtime.deployment import Releases

pytestmark = [pytest.mark.timeout(420), pytest.mark.xdist_group("improve")]
PATIENCE_S = 300
PRICES = '''"""Prices."""


def price(size: int) -> int:
    """Of so many."""
    total = 0
    for number in range(size):
        total += number * number % 7
    return total
'''
TESTS = """from prices import price


def test_price():
    assert price(4) == 0 + 1 + 4 + 2
"""
CAMPAIGN = """
name: attached
kind: live
live:
  root: code
  files: ["*.py"]
  url: http://127.0.0.1:PORT
  folder: releases
  telemetry:
    - jsonl: telemetry.jsonl
  tests: ["{python}", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
  listen_s: 3s
  max_improvements: 1
  canary_share: 0.3
  settings:
    monitoring_duration_s: 3
    monitoring_interval_s: 0.25
    stream_interval_s: 0.5
    rollback_threshold: 9      # a busy machine is no fault of the change
  watch: {least_history: 5, level: 0.95, if_unknown: keep}
environment: {PYTEST_DISABLE_PLUGIN_AUTOLOAD: "1"}
budget: {cycles: 1}
"""


def write_service(folder: Path) -> None:
    (folder / "code" / "tests").mkdir(parents=True)
    (folder / "code" / "prices.py").write_text(PRICES)
    (folder / "code" / "tests" / "test_prices.py").write_text(TESTS)
    (folder / "campaign.yaml").write_text(CAMPAIGN)


@pytest.fixture
def attached(tmp_path: Path) -> Iterator[Path]:
    """The folder of a service that runs, and is asked for something twenty times a second."""
    write_service(tmp_path)
    Releases(tmp_path / "releases").adopt(tmp_path / "code")
    shutil.copy(Path(__file__).with_name("attached_service.py"), tmp_path)
    shutil.copy(reloader_module.__file__, tmp_path / "reloader.py")
    words = [sys.executable, "attached_service.py", "releases", "telemetry.jsonl"]
    ended = threading.Event()
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        url = f"http://127.0.0.1:{int(service.stdout.readline())}"
        (tmp_path / "campaign.yaml").write_text(CAMPAIGN.replace("http://127.0.0.1:PORT", url))

        def ask() -> None:
            while not ended.wait(0.05):
                urllib.request.urlopen(f"{url}/price", timeout=60).close()

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield tmp_path
        finally:
            ended.set()
            asking.join()
            service.kill()


@pytest.mark.slow
def test_a_service_that_runs_gets_its_fix_by_share_and_then_whole(attached: Path) -> None:
    told = call_process("improve", attached, "--json-stream", home=attached / "home", deadline_s=PATIENCE_S)
    assert told.code == 0, told.err
    events = [json.loads(line) for line in told.out.splitlines()]
    found = [event for event in events if event.get("type") == "ImprovementDeployed"]
    assert len(found) == 1, told.err + told.out
    (deployed,) = found
    assert deployed["share"] == 0.3
    state = json.loads((attached / "releases" / "deployments" / f"{deployed['deployment_id']}.json").read_text())
    assert (state["stage"], state["share"]) == ("kept", 1.0)
    assert Releases(attached / "releases").current() == deployed["revision"]
    assert "cache" in (attached / "releases" / "current" / "prices.py").read_text()
    assert (attached / "code" / "prices.py").read_text() == PRICES
    revisions = [json.loads(line).get("revision") for line in (attached / "telemetry.jsonl").read_text().splitlines()]
    after = revisions[revisions.index(deployed["revision"][:16]) :]
    assert set(after) == {None, state["deployment"]["previous"][:16], deployed["revision"][:16]}


def test_a_service_whose_code_was_not_adopted_is_told_how(cli: Cli, tmp_path: Path) -> None:
    write_service(tmp_path)
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN.replace("PORT", "1"))
    told = cli("improve", tmp_path, "--dry-run", home=tmp_path / "home")
    assert (told.code, "Releases" in told.err) == (3, True)
    command = told.err[told.err.index("python -c") :].splitlines()[0].removeprefix("python")
    subprocess.run(f"{sys.executable}{command}", shell=True, check=True)
    assert cli("improve", tmp_path, "--dry-run", home=tmp_path / "home").code == 0


def test_who_waits_for_the_schedule_lets_a_cycle_by_hand_have_the_telemetry(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    write_service(tmp_path)
    home = tmp_path / "home"
    Releases(tmp_path / "releases").adopt(tmp_path / "code")
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN.replace("PORT", "1"))
    waiting = start("improve", tmp_path, "--schedule", home=home)
    waiting.wait_for("err", "waiting for the next cycle")
    with StateFolder(home).open_ledger() as ledger:
        (stored,) = ledger.campaigns()
        lease = ledger.leases.acquire(f"campaign {stored.id}")  # as a cycle by hand has it
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                LearningEngine(StateFolder(home).services / stored.id / "telemetry").close()
                break
            except BusyError:
                assert time.monotonic() < until
                time.sleep(0.1)
        assert waiting.process.poll() is None
        ledger.leases.release(lease)
    waiting.send(signal.SIGINT)
    assert waiting.wait().code == 0
