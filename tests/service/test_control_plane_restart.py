"""The control plane is killed, stopped and started again: nothing is lost, nothing runs twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import httpx
from control_plane_process import HANG_S, TOKEN, Plane, messages, write_campaign

from core.events import AnyEvent, JobReported
from core.process import ProcessIdentity
from graph.campaign import run_campaign
from graph.job_back_end import job_back_end
from graph.loading import load_campaign
from memory.history import History
from memory.state_folder import StateFolder


def train(client: httpx.Client, name: str, config: dict[str, Any] | None = None, **fields: Any) -> None:
    told = {"experiment_id": name, "config": {"x": 0.5, "name": name, **(config or {})}, **fields}
    assert client.post("/train", json=told).status_code == 202


def until(client: httpx.Client, name: str, step: int) -> int:
    """The number of the event that reports `step`."""
    with client.stream("GET", f"/jobs/{name}/events") as stream:
        for event in messages(stream.iter_lines()):
            if event["kind"] == "report" and event["report"]["step"] == step:
                return int(event["seq"])
    raise AssertionError("the stream ended before that step")


def keeper(client: httpx.Client, name: str) -> ProcessIdentity:
    told = client.get(f"/jobs/{name}").json()["keeper"]
    return ProcessIdentity(told["pid"], told["start_time"], told["boot_id"], told["host"])


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """Running, queued, waiting for approval, finished: each goes on from where it was."""
    gate = tmp_path / "go"
    plane = Plane(tmp_path, "--parallel", "1")
    with plane, plane.client() as client:
        train(client, "finished")
        with client.stream("GET", "/jobs/finished/events") as stream:
            whole = list(messages(stream.iter_lines()))
        train(client, "running", {"gate": str(gate)})
        train(client, "queued")
        train(client, "asked", requires_approval=True)
        seen = until(client, "running", 2)
        held = keeper(client, "running")
        plane.kill()
        assert held.alive()

        plane.start()
        assert client.get("/jobs/running").json()["status"] == "RUNNING"
        assert keeper(client, "running") == held
        assert client.get("/jobs/queued").json()["status"] == "QUEUED"
        approval = client.get("/approvals").json()["approvals"][0]
        assert client.post(f"/approvals/{approval['id']}", json={"decision": "approve"}).status_code == 200
        gate.touch()
        for name in ("running", "queued", "asked"):
            headers = {"Last-Event-ID": str(seen)} if name == "running" else {}
            with client.stream("GET", f"/jobs/{name}/events", headers=headers) as stream:
                told = list(messages(stream.iter_lines()))
            assert told[-1]["status"] == "COMPLETED"
            if name == "running":
                assert [e["report"]["step"] for e in told if e["kind"] == "report"] == [None]  # no report twice
        with client.stream("GET", "/jobs/finished/events") as stream:
            assert list(messages(stream.iter_lines())) == whole
        again = {"experiment_id": "finished", "config": {"x": 0.5, "name": "finished"}}
        assert client.post("/train", json=again).status_code == 200
    assert sorted(plane.runs()) == ["asked", "finished", "queued", "running"]


def test_stopped_with_streams_open(tmp_path: Path) -> None:
    """SIGTERM ends open streams and leaves the jobs; what they report meanwhile is told after the restart."""
    gate = tmp_path / "go"
    plane = Plane(tmp_path)
    with plane, plane.client() as client:
        train(client, "left", {"gate": str(gate)})
        until(client, "left", 2)
        held = keeper(client, "left")
        with client.stream("GET", "/events", headers={"Last-Event-ID": "0"}) as stream:
            lines = stream.iter_lines()
            next(messages(lines))
            stopped = os.times().elapsed
            assert plane.terminate() == 128 + signal.SIGTERM
            assert os.times().elapsed - stopped < 10  # 3 s on a machine with nothing else to do
            list(lines)  # the stream was ended whole
        assert held.alive()
        gate.touch()
        plane.options = ("--cancel-on-exit",)
        plane.start()
        with client.stream("GET", "/jobs/left/events") as stream:
            told = list(messages(stream.iter_lines()))
        assert [e["report"]["step"] for e in told if e["kind"] == "report"] == [1, 2, None]
        assert told[-1]["status"] == "COMPLETED"

        train(client, "ended", {"gate": str(tmp_path / "never")})
        until(client, "ended", 2)
        held = keeper(client, "ended")
        plane.terminate()
        assert not held.alive()
        record = json.loads((plane.home / "control-plane/experiments/ended/result.json").read_text())
        assert record["status"] == "cancelled"
    assert plane.runs() == ["left", "ended"]


def history(home: Path, campaign: Path, url: str = "", on_event: Any = None) -> list[dict[str, Any]]:
    """A campaign from start to end; what every event says, without times and places."""
    folder = StateFolder(home)

    async def main() -> list[dict[str, Any]]:
        with folder.open_ledger() as ledger:
            stored = ledger.create_campaign(load_campaign(campaign))
            if on_event is not None:
                ledger.listen(on_event)
            async with asyncio.timeout(2 * HANG_S):
                ending = await run_campaign(
                    folder, ledger, stored, open_jobs=lambda one: job_back_end(one, url=url, wait_s=HANG_S)
                )
            assert ending.status == "finished"
            assert History.load(ledger, stored.id).verdict is not None
            return sorted((_timeless(event) for event in ledger.events(stored.id)), key=json.dumps)

    return asyncio.run(main())


def _timeless(event: AnyEvent) -> dict[str, Any]:
    told = event.model_dump(mode="json", exclude={"seq", "at", "directory"})
    if "outcome" in told:
        for name in ("duration_s", "cpu_s", "peak_memory_mb"):
            del told["outcome"][name]
    told.pop("stages", None)  # seconds of the jobs among other figures
    return told


def test_a_campaign_whose_control_plane_is_killed_twice_ends_as_in_one_process(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("CONTROL_PLANE_TOKEN", TOKEN)
    (tmp_path / "here").mkdir()
    expected = history(tmp_path / "alone", write_campaign(tmp_path / "here"))
    plane = Plane(tmp_path)
    reports = 0
    restarts: list[threading.Thread] = []

    def restart() -> None:
        plane.kill()
        plane.start()

    def on_event(event: AnyEvent) -> None:
        nonlocal reports
        reports += isinstance(event, JobReported)
        if reports in (4, 20) and isinstance(event, JobReported):
            restarts.append(threading.Thread(target=restart))
            restarts[-1].start()

    with plane:
        try:
            told = history(tmp_path / "council", plane.campaign, plane.url, on_event)
        finally:
            for thread in restarts:
                thread.join(HANG_S)
    assert len(restarts) == 2
    assert told == expected
    assert len(plane.runs()) == len((tmp_path / "here" / "runs").read_text().split())  # nothing ran twice
