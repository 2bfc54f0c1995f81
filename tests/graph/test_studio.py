"""`langgraph.json` starts in `langgraph dev`, shows the council, and runs a cycle that the ledger has afterwards."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.events import CycleFinished
from memory.ledger import Ledger

ROOT = Path(__file__).parents[2]
INSTALLED = Path(sys.prefix) / "studio"
"""Where `make setup` puts it, beside everything else."""
pytestmark = pytest.mark.skipif(
    not (INSTALLED / "langgraph_api").is_dir(), reason="`langgraph dev` was NOT tried: `make setup` installs it"
)
CAMPAIGN = """
name: studio
command: ["{python}", "-I", "-S", "{here}/train.py", "{config}"]
objective: {metric: score}
space: {x: {type: float, low: 0, high: 1}}
baseline: {x: 0.5}
noise: {repeats: 2}
"""
TRAIN = "import json, sys\nprint(json.dumps({'score': json.load(open(sys.argv[1]))['x']}))\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("studio")
    (folder / "campaign.yaml").write_text(CAMPAIGN)
    (folder / "train.py").write_text(
        "import json, sys\nprint(json.dumps({'score': json.load(open(sys.argv[1]))['x']}))\n"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    known = {name: value for name, value in os.environ.items() if not name.startswith(("LANG", "RATCHET"))}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "langgraph_cli", "dev", "--config", str(ROOT / "langgraph.json")),
            *("--port", str(port), "--no-browser", "--no-reload", "--allow-blocking"),
        ],
        cwd=folder,
        env={
            **known,
            "PYTHONPATH": str(INSTALLED),
            "RATCHET_HOME": str(folder / "home"),
            "RATCHET_CAMPAIGN": str(folder / "campaign.yaml"),
            "RATCHET_EMBEDDING_MODEL": "hash",
            "LANGSMITH_TRACING": "false",
        },
        stdout=(folder / "log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            try:
                if httpx.get(f"{url}/ok", trust_env=False).is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url, folder
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


REFUSED = """
import asyncio
from blockbuster import blockbuster_ctx
from graph.studio import FOR_EXECUTION, council

async def run():
    with blockbuster_ctx():
        async with council({"configurable": {FOR_EXECUTION: True}}):
            pass

asyncio.run(run())
"""


def test_a_server_that_refuses_to_wait_says_how_it_is_started(tmp_path: Path) -> None:
    paths = os.pathsep.join((str(ROOT), str(INSTALLED)))
    done = subprocess.run(
        [sys.executable, "-c", REFUSED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths, "RATCHET_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "ConfigError: the ledger is a file" in done.stderr
    assert "langgraph dev --allow-blocking" in done.stderr
    assert "BlockingError" not in done.stderr


@pytest.mark.slow
def test_the_council_is_drawn_and_runs_a_cycle(server: tuple[str, Path]) -> None:
    url, folder = server
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
        (assistant,) = client.post("/assistants/search", json={}).json()
        drawn = client.get(f"/assistants/{assistant['assistant_id']}/graph").json()
        assert {"director", "proposer", "voter", "supervisor", "executor", "historian"} <= {
            node["id"] for node in drawn["nodes"]
        }
        schemas = client.get(f"/assistants/{assistant['assistant_id']}/schemas").json()
        assert "cycle" in schemas["input_schema"]["properties"]
        state = client.post("/runs/wait", json={"assistant_id": "council", "input": {"cycle": 0}}).json()
        assert state.get("cycle") == 1, state
        assert len(state["experiments"]) == 3
        refused = client.post("/runs/wait", json={"assistant_id": "council", "input": {"cycle": 7}}).json()
        assert "__error__" in refused
    with Ledger(folder / "home" / "ledger.db") as ledger:
        assert [event.cycle for event in ledger.events("studio-1", types=(CycleFinished,))] == [1]
        assert ledger.leases.owner("campaign studio-1") is None
