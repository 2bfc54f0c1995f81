"""`serve` as a user starts it: a process of its own over a state folder, asked over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx

ROOT = Path(__file__).parents[2]
HANG_S = 110.0
"""No test comes near it; it only keeps a broken build from hanging."""
TOKEN = "a-token-for-tests-only"


class Serving:
    """A server with both capabilities; `with` starts and ends it."""

    def __init__(self, home: Path, *options: str, **environment: str) -> None:
        self.home = home
        self.options = options
        self.environment = {"ENABLE_TRAINING": "1", "ENABLE_AUTONOMY": "1", **environment}
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> Self:
        command = [sys.executable, str(ROOT / "run_graph.py"), "--home", str(self.home), "--json-stream", "serve"]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RATCHET_", "ENABLE_", "GITHUB_"))}
        kept |= {"RATCHET_EMBEDDING_MODEL": "hash", "RATCHET_TOKEN": TOKEN, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [*command, "--port", "0", *self.options],
            cwd=self.home.parent,
            env={**kept, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline() or "{}")
        assert "url" in told, told
        self.url = told["url"]
        return self

    def client(self, token: str = TOKEN) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=HANG_S, trust_env=False)

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=HANG_S)

    def kill(self) -> None:
        """kill -9"""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=HANG_S)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                self.kill()
            if self.process.stdout is not None:
                self.process.stdout.close()


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == status
    return told


def next_message(lines: Any) -> dict[str, str]:
    """The fields of the next server-sent message that has data."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line and "data" in fields:
            return fields
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
    raise AssertionError("the stream has ended")
