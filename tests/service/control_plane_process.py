"""A control plane as a user starts it: a process of its own, asked over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Self

import httpx

from core.process import identify
from runtime.jobs import kill_leftovers, read_started

ROOT = Path(__file__).parents[2]
HANG_S = 60.0
"""No test comes near it; it only keeps a broken build from hanging."""
TOKEN = "a-token-for-tests-only"

TRAIN = """
    import json, os, sys, time
    config = json.load(open(sys.argv[1]))
    with open(os.path.join(os.path.dirname(__file__), "runs"), "a") as file:
        file.write(config.get("name", "?") + "\\n")
    for step in (1, 2):
        print(json.dumps({"step": step, "score": config["x"] * step + config.get("seed", 0) / 100}), flush=True)
    while config.get("gate") and not os.path.exists(config["gate"]):
        time.sleep(0.005)
    if config.get("crash"):
        raise SystemExit(3)
    print(json.dumps({"score": config["x"] * 2 + config["seed"] / 100}))
"""

CAMPAIGN = """
    schema: 1
    name: toy
    command: ["{python}", "-I", "-S", "{here}/train.py", "{config}"]
    objective: {metric: score}
    space: {x: {type: float, low: 0.0, high: 1.0}, y: {type: int, low: 1, high: 9}}
    baseline: {x: 0.5, y: 5}
    limits: {time_s: 50, parallel: 2}
    sealed: {command: ["{python}", "-I", "-S", "{here}/train.py", "{config}", "held-out"], metric: score}
    noise: {repeats: 2, verdict_pairs: 2}
    budget: {cycles: 2}
"""


def write_campaign(folder: Path) -> Path:
    """A campaign whose jobs take a twentieth of a second, or as long as a file is missing."""
    (folder / "train.py").write_text(textwrap.dedent(TRAIN))
    (folder / "campaign.yaml").write_text(textwrap.dedent(CAMPAIGN))
    return folder / "campaign.yaml"


class NotStartedError(Exception):
    """What it printed instead."""


class Plane:
    """Start it with `with`, or `start` and `kill` at will; what it leaves behind is ended."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.campaign = write_campaign(folder)
        self.options = options
        self.home = folder / "home"
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> Self:
        command = [sys.executable, "run_graph.py", "--home", str(self.home), "--json-stream", "control-plane"]
        command += ["--port", str(self.port), "--campaign", str(self.campaign), *self.options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONTROL_PLANE")}
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environment, "CONTROL_PLANE_TOKEN": TOKEN},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline() or "{}")
        if "url" not in told:
            assert self.process.stderr is not None
            # not `communicate`, which reads past the lines that `readline` has taken into its buffer
            said = self.process.stdout.read() + self.process.stderr.read()
            self.process.communicate(timeout=HANG_S)
            raise NotStartedError(said)
        self.url = told["url"]
        self.port = int(self.url.rpartition(":")[2])  # the same again after a restart
        return self

    def kill(self) -> None:
        """kill -9"""
        assert self.process is not None
        self.process.kill()
        self.process.communicate(timeout=HANG_S)

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=HANG_S)
        return self.process.returncode

    def client(self, token: str = TOKEN) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=HANG_S, trust_env=False)

    def runs(self) -> list[str]:
        """The `name` of every job that ran, once a run."""
        path = self.folder / "runs"
        return path.read_text().split() if path.exists() else []

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for directory in (self.home / "control-plane" / "experiments").glob("*"):
            started = read_started(directory)
            if started is not None and started.identity.alive() and started.identity == identify(started.pid):
                os.kill(started.pid, signal.SIGKILL)
            kill_leftovers(directory.name, directory)


def messages(lines: Any) -> Any:
    """The data of each server-sent event."""
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))
