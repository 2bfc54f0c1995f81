"""How each project is started, gone on with and read; what they share is `Result`."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Candidate", "commands", "evaluations", "read"]

ROOT = Path(__file__).resolve().parents[2]
LABEL = re.compile(r"# edit (\w+)")


@dataclass(frozen=True)
class Candidate:
    """As the project has it: `labels` of the edits in its code, its score, and what else is said of it."""

    labels: tuple[str, ...]
    score: float | None
    note: str = ""


def commands(
    project: str, venvs: str, url: str, iterations: int, *, checkpoint: str = "", time_s: int = 20
) -> list[str]:
    """The documented command without a person at it.  `checkpoint`: OpenEvolve's folder to go on from."""
    if project == "ratchet":
        return [str(ROOT / ".venv/bin/python"), str(ROOT / "run_graph.py"), "evolve", ".", "--home", "home",
                "--json-stream"]  # fmt: skip
    if project == "openevolve":
        more = ["--checkpoint", checkpoint] if checkpoint else []
        # `python -m`: the entry point that pip installs is the same function
        return [f"{venvs}-openevolve/bin/python", "-m", "openevolve.cli", "initial.py", "evaluator.py", "--config",
                "config.yaml", "--output", "out", "--iterations", str(iterations), *more]  # fmt: skip
    model = json.dumps([f"local/stub@{url}?api_key_env=OPENAI_API_KEY"])
    # generation 0 is the initial program
    return [f"{venvs}-shinka/bin/shinka_run", "--task-dir", ".", "--results_dir", "out", "--num_generations",
            str(iterations + 1), "--max-evaluation-jobs", "1", "--max-proposal-jobs", "1", "--max-db-workers", "1",
            "--set", f"evo.llm_models={model}", "--set", "evo.embedding_model=null", "--set",
            'evo.patch_types=["diff"]', "--set", "evo.patch_type_probs=[1.0]", "--set",
            f"job.time=00:00:{time_s:02d}"]  # fmt: skip


def evaluations(folder: Path) -> list[dict[str, float]]:
    """Evaluations that the task's own evaluator has noted, the initial program's too; none of Ratchet's judge."""
    log = folder / "evaluations.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def read(project: str, folder: Path, output: str = "") -> list[Candidate]:
    """What the project has kept, without the initial program."""
    if project == "openevolve":
        return _openevolve(folder)
    return _shinka(folder) if project == "shinka" else _ratchet(folder, output)


def latest_checkpoint(folder: Path) -> Path | None:
    found = list((folder / "out" / "checkpoints").glob("checkpoint_*"))
    return max(found, key=lambda path: int(path.name.rpartition("_")[2]), default=None)


def _openevolve(folder: Path) -> list[Candidate]:
    checkpoint = latest_checkpoint(folder)
    if checkpoint is None:
        return []
    told = [json.loads(path.read_text()) for path in (checkpoint / "programs").glob("*.json")]
    told = [one for one in told if one["parent_id"] and not one["metadata"].get("migrant")]
    return [
        Candidate(tuple(LABEL.findall(one["code"])), one["metrics"].get("combined_score"), json.dumps(one["metrics"]))
        for one in sorted(told, key=lambda one: one["iteration_found"])
    ]


def _shinka(folder: Path) -> list[Candidate]:
    path = folder / "out" / "programs.sqlite"
    if not path.exists():
        return []
    with sqlite3.connect(path) as database:
        rows = database.execute(
            "select code, combined_score, correct, generation from programs where generation > 0 order by generation"
        ).fetchall()
    return [Candidate(tuple(LABEL.findall(code)), score, f"correct={correct} generation={generation}")
            for code, score, correct, generation in rows]  # fmt: skip


def _ratchet(folder: Path, output: str) -> list[Candidate]:
    """Every candidate judged once, from the events; `score` is its speed-up, None where it was refused."""
    found: dict[str, Candidate] = {}
    for line in output.splitlines():
        if not line.startswith("{"):
            continue
        event = json.loads(line)
        if event.get("type") != "JobFinished" or event["purpose"] != "proposal":
            continue
        outcome = event["outcome"]
        found[outcome["job_id"]] = Candidate(
            tuple(LABEL.findall(_patch(folder, outcome["config"]["patch"]))),
            outcome["metrics"].get("speedup") if outcome["status"] == "ok" else None,
            f"{outcome['cause'] or outcome['status']}: {outcome['reason']}"[:160],
        )
    return list(found.values())


def _patch(folder: Path, reference: str) -> str:
    digest = reference.partition(":")[2]
    data = (folder / "home" / "artifacts" / digest[:2] / digest[2:]).read_bytes()
    return zlib.decompress(data).decode() if data[:1] == b"\x78" else data.decode()
