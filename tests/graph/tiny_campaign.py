"""A campaign whose jobs take some hundredths of a second and count themselves, and the program as a process."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.records import Outcome
from memory.history import History
from memory.ledger import Ledger
from tests.warm_program import Program, start_cold, start_warm

ROOT = Path(__file__).parents[2]
RUN_GRAPH = str(ROOT / "run_graph.py")
DEADLINE_S = 120.0

SCRIPT = """
import json, os, sys, time

with open(sys.argv[1]) as file:
    config = json.load(file)
with open(os.environ["RUNS_FILE"], "a") as file:
    file.write(json.dumps(config, sort_keys=True) + "\\\\n")
time.sleep(float(os.environ.get("SLEEP_S", "0.05")))
x, y = config["x"], config["y"]
if x > 0.8:
    sys.exit("diverged")
noise = (config["seed"] * 7919 % 13) / 1000
print(json.dumps({"score": -((x - 0.3) ** 2) - (y - 0.6) ** 2 - (0.1 if config["kind"] == "b" else 0) + noise}))
""".replace("\\\\n", "\\n")


def write_campaign(folder: Path, **changes: Any) -> Path:
    """The campaign's file in `folder`; `changes` by key."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.py").write_text(SCRIPT)
    definition: dict[str, Any] = {
        "schema": 1,
        "name": "tiny",
        "command": ["{python}", "-I", "-S", "{here}/train.py", "{config}"],
        "objective": {"metric": "score", "goal": "maximize"},
        "space": {
            "x": {"type": "float", "low": 0, "high": 1},
            "y": {"type": "float", "low": 0, "high": 1},
            "kind": {"type": "choice", "options": ["a", "b"]},
        },
        "baseline": {"x": 0.5, "y": 0.5, "kind": "a"},
        "environment": {"RUNS_FILE": str(folder / "runs.jsonl")},
        "budget": {"cycles": 2},
        "noise": {"repeats": 2, "verdict_pairs": 2},
        "council": {"jobs_per_cycle": 2},
        "control": ["random"],
        **changes,
    }
    path = folder / "campaign.yaml"
    path.write_text(json.dumps(definition, indent=1))  # JSON is YAML
    return path


def runs(folder: Path) -> Counter[str]:
    """How often the script ran for each configuration and seed."""
    file = folder / "runs.jsonl"
    return Counter(file.read_text().splitlines()) if file.exists() else Counter()


def environment() -> dict[str, str]:
    names = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
    return {**{n: os.environ[n] for n in names if n in os.environ}, "OMP_NUM_THREADS": "1"}


def start(*words: str, env: Mapping[str, str] | None = None, cold: bool = False) -> Program:
    """The program, its events as JSON lines on stdout; `cold` with an interpreter of its own."""
    command = [RUN_GRAPH, *words, "--json-stream", "--set", "embedding_model=hash"]
    return (start_cold if cold else start_warm)(command, env={**environment(), **(env or {})}, cwd=ROOT)


def events(process: Program) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def run(*words: str, **more: Any) -> tuple[int, list[dict[str, Any]], str]:
    """The program from start to end: exit code, JSON lines, stderr."""
    process = start(*words, **more)
    stdout, stderr = process.communicate(timeout=DEADLINE_S)
    return process.returncode, [json.loads(line) for line in stdout.splitlines()], stderr


def kill(process: Program) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def account(home: Path, campaign_id: str = "tiny-1") -> dict[str, Any]:
    """All that a campaign has come to, without times, places and measures of the machine."""
    with Ledger(home / "ledger.db") as ledger:
        history = History.load(ledger, campaign_id)
    best = history.best()
    return {
        "baseline": _plain(history.baseline),
        "cycles": {
            number: {
                "direction": _plain(cycle.direction),
                "proposals": [_plain(event.proposal) for event in cycle.proposals.values()],
                "votes": {p: [_plain(event.vote) for event in told] for p, told in sorted(cycle.votes.items())},
                "tallies": [_plain(event.tally) for event in cycle.tallies.values()],
                "rulings": [_plain(event.ruling) for event in cycle.rulings.values()],
                "outcomes": {p: (_outcome(e.outcome), e.score) for p, e in sorted(cycle.outcomes.items())},
                "failures": [(event.role, event.name, event.error) for event in cycle.failures],
                "finished": cycle.finished and (cycle.finished.stages, cycle.finished.metrics),
            }
            for number, cycle in sorted(history.cycles.items())
        },
        "jobs": {
            j: {**e.model_dump(exclude={"seq", "at", "directory", "cycle"})} for j, e in sorted(history.jobs.items())
        },
        "all outcomes": {j: _outcome(outcome) for j, outcome in sorted(history.outcomes.items())},
        "lessons": [_plain(lesson) for lesson in history.all_lessons()],
        "trajectories": [_plain(t) for t in history.trajectories.values()],
        "records": {role: {n: _plain(r) for n, r in history.track_records(role).items()} for role in ROLES},
        "controls": {arm: event.scores for arm, event in history.controls.items()},
        "verdict": _plain(history.verdict),
        "best": best and (best.proposal.id, best.score),
        "ended": getattr(history.ended, "type", None),
        "started": history.started_at > 0,
    }


ROLES = ("voter", "proposer")


def _plain(record: Any) -> Any:
    return record and record.model_dump(mode="json")


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return outcome.model_dump(mode="json", exclude={"duration_s", "cpu_s", "peak_memory_mb"})
