"""What a control plane costs beside the jobs' own work: submit, a batch of three, collect, and to know of an end.

    python benchmarks/control_plane.py [--rounds 20]

Both kinds of `TrainingExecutor` in one run: with a queue of its own, and over HTTP on loopback with a server in
another process.  The job does nothing but note the monotonic clock (one for all processes of a machine) at its end.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.training.executor import TrainingExecutor, get_training_executor
from core.campaign import Campaign

TRAIN = 'import os, time\nos.write(1, b\'{"score": 1, "last_s": %.6f}\\n\' % time.monotonic())\nos._exit(0)\n'
REFERENCE_MS = {"submit one": 50.0, "submit a batch of three": 120.0, "collect one": 20.0, "end of a job → known": 50.0}
ROOT = Path(__file__).parents[1]
TOKEN = "a-token-for-the-benchmark"


def campaign_in(folder: Path) -> Campaign:
    (folder / "train.py").write_text(TRAIN)
    definition = {
        "name": "bench",
        "command": ["{python}", "-I", "-S", "{here}/train.py"],
        "objective": {"metric": "score"},
        "metrics": ["last_s"],
        "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
        "baseline": {"x": 0.5},
    }
    (folder / "campaign.yaml").write_text(json.dumps(definition))  # JSON is YAML
    return Campaign.model_validate({**definition, "here": str(folder)})


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A control plane in another process; its URL."""
    command = [sys.executable, "run_graph.py", "--home", str(folder / "there"), "--json-stream", "control-plane"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--campaign", str(folder / "campaign.yaml")],
        cwd=ROOT,
        env={**os.environ, "CONTROL_PLANE_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(timeout=30)


def measure(executor: TrainingExecutor, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each figure, once a round."""
    times: dict[str, list[float]] = {name: [] for name in REFERENCE_MS}

    def timed(name: str, started: float) -> None:
        times[name].append(1000 * (time.monotonic() - started))

    for number in range(rounds + 1):  # the first round warms up and is dropped
        one = f"one-{number}"
        started = time.monotonic()
        executor.submit_job({"experiment_id": one, "changes": {}})
        timed("submit one", started)
        executor.wait_for_completion([one], timeout=60)
        known = time.monotonic()
        started = time.monotonic()
        metrics = executor.collect_results(one)["metrics"]
        timed("collect one", started)
        times["end of a job → known"].append(1000 * (known - metrics["last_s"]))
        batch = [{"experiment_id": f"batch-{number}-{k}", "changes": {}} for k in range(3)]
        started = time.monotonic()
        executor.submit_batch(batch)
        timed("submit a batch of three", started)
        executor.wait_for_completion([proposal["experiment_id"] for proposal in batch], timeout=60)
    return {name: values[1:] for name, values in times.items()}


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        campaign = campaign_in(folder)
        with get_training_executor("", campaign=campaign, home=folder / "here") as executor:
            here = measure(executor, rounds)
        with server(folder) as url, get_training_executor(url, campaign=campaign, token=TOKEN) as executor:
            there = measure(executor, rounds)
    load = os.getloadavg()[0]
    print(f"{rounds} rounds, milliseconds; load {load:.1f} on {os.cpu_count()} cores")
    print(f"{'':<26}{'reference':>10}{'here p50':>11}{'max':>8}{'HTTP p50':>11}{'max':>8}")
    for name, reference in REFERENCE_MS.items():
        figures = [f(values[name]) for values in (here, there) for f in (statistics.median, max)]
        print(f"{name:<26}{reference:>10.0f}{figures[0]:>11.1f}{figures[1]:>8.1f}{figures[2]:>11.1f}{figures[3]:>8.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    main(parser.parse_args().rounds)
