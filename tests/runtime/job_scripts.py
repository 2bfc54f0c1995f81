"""Specs for small scripts, run as real jobs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.campaign import Limits
from runtime.jobs import JobResult, JobSpec, kill_leftovers, read_started, start

HANG_S = 60.0
"""No test comes near it; it only keeps a broken build from hanging."""

MakeSpec = Callable[..., JobSpec]


@pytest.fixture
def make_spec(tmp_path: Path) -> Iterator[MakeSpec]:
    """A spec for a Python script given as text; what it leaves behind is ended after the test."""
    specs: list[JobSpec] = []

    def make(script: str = "", *, job: str = "j-1", limits: dict[str, Any] | None = None, **fields: Any) -> JobSpec:
        directory = tmp_path / "experiments" / job
        path = tmp_path / f"{job}.py"
        path.write_text(textwrap.dedent(script))
        fields.setdefault("command", (sys.executable, str(path)))
        specs.append(JobSpec(id=job, directory=directory, limits=Limits(**(limits or {})), **fields))
        return specs[-1]

    yield make
    left = {spec.id: pids for spec in specs if (pids := marked(spec))}
    for spec in specs:
        started = read_started(spec.directory)
        if left and started is not None and started.identity.alive():
            os.kill(started.pid, signal.SIGKILL)
        kill_leftovers(spec.id, spec.directory)
    assert not left, f"processes left behind: {left}"


def run(spec: JobSpec) -> JobResult:
    """The job from start to end."""

    async def main() -> JobResult:
        async with asyncio.timeout(HANG_S):
            return await (await start(spec)).wait()

    return asyncio.run(main())


def marked(spec: JobSpec) -> list[int]:
    """Pids of the processes that carry the job's mark."""
    mark = f"RATCHET_DIRECTORY={spec.directory}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


linux = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux with /proc")
root = pytest.mark.skipif(os.getuid() != 0, reason="SKIPPED: a small disk can only be mounted by root")
