"""What it costs to tell others: a scrape for Prometheus, and the exports of a campaign of 5,000 trials.

    OMP_NUM_THREADS=1 python benchmarks/exports.py [--trials 5000] [--only prometheus,csv,…]

The ledger is made at once, ten events a trial: 50,000 at 5,000 trials.  A scrape is measured with ten events new since
the one before.  Optuna's and MLflow's stores are SQLite files.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.campaign import Campaign
from core.events import (
    AnyEvent,
    CycleFinished,
    JobFinished,
    JobStarted,
    ModelCalled,
    ProposalMade,
    ProposalRuled,
    ProposalTallied,
    VoteCast,
)
from core.records import Outcome, Proposal, Ruling, Tally, Vote
from memory.ledger import Ledger, StoredCampaign
from service.exports.prometheus import prometheus_text
from service.exports.rows import rows_of
from service.exports.text import csv_text, json_text
from service.exports.traces import otlp_lines

PER_CYCLE = 10
SPACE = {
    "lr": {"type": "float", "low": 1e-5, "high": 1.0, "log": True},
    "layers": {"type": "int", "low": 1, "high": 8},
    "kind": {"type": "choice", "options": ["a", "b"]},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=5000)
    parser.add_argument("--only", default="prometheus,csv,json,events,traces,optuna,mlflow")
    args = parser.parse_args()
    wanted = args.only.split(",")
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.db") as ledger:
        stored = tell(ledger, args.trials)
        print(f"{ledger.last_seq()} events, {args.trials} trials")
        if "prometheus" in wanted:
            scrape(ledger, stored)
        exports: dict[str, Callable[[], object]] = {
            "csv": lambda: "".join(csv_text("trials", rows_of("trials", ledger, stored))),
            "json": lambda: "".join(json_text("trials", rows_of("trials", ledger, stored))),
            "events": lambda: "".join(json_text("events", rows_of("events", ledger, stored))),
            "traces": lambda: "".join(otlp_lines(ledger, stored)),
            "optuna": lambda: optuna(ledger, stored, Path(folder)),
            "optuna again": lambda: optuna(ledger, stored, Path(folder)),
            "mlflow": lambda: mlflow(ledger, stored, Path(folder)),
            "mlflow again": lambda: mlflow(ledger, stored, Path(folder)),
        }
        for name, export in exports.items():
            if name.split(" ")[0] in wanted:
                begun, used = time.perf_counter(), time.process_time()
                export()
                print(f"{name:<14} {time.perf_counter() - begun:8.2f} s, processor {time.process_time() - used:8.2f} s")


def scrape(ledger: Ledger, stored: StoredCampaign) -> None:
    """Processor time of the thread, which a busy machine does not change; a scrape waits for nothing but the disk."""
    begun = time.thread_time()
    text = prometheus_text(ledger)
    print(f"first scrape   {(time.thread_time() - begun) * 1e3:8.1f} ms, {len(text.splitlines())} lines")
    times = []
    for number in range(100):
        ledger.append(*trial(stored, 1_000_000 + number))
        begun = time.thread_time()
        prometheus_text(ledger)
        times.append((time.thread_time() - begun) * 1e3)
    times.sort()
    print(f"later scrapes  median {times[50]:.2f} ms, p99 {times[98]:.2f} ms, max {times[-1]:.2f} ms")


def optuna(ledger: Ledger, stored: StoredCampaign, folder: Path) -> None:
    from service.exports.optuna_study import export_optuna

    export_optuna(ledger, stored, folder / "optuna.db")


def mlflow(ledger: Ledger, stored: StoredCampaign, folder: Path) -> None:
    from memory.state_folder import StateFolder
    from service.exports.mlflow_runs import export_mlflow

    export_mlflow(StateFolder(folder), ledger, stored, folder / "mlflow.db")


def tell(ledger: Ledger, trials: int) -> StoredCampaign:
    stored = ledger.create_campaign(
        Campaign.model_validate(
            {
                "name": "bench",
                "command": ["true"],
                "objective": {"metric": "loss", "goal": "minimize"},
                "space": SPACE,
                "baseline": {"lr": 0.1, "layers": 2, "kind": "a"},
            }
        )
    )
    ledger.append(*(event for number in range(trials) for event in trial(stored, number)))
    return stored


def trial(stored: StoredCampaign, number: int) -> Iterator[AnyEvent]:
    """Ten events, as a cycle tells them of one trial."""
    cycle = number // PER_CYCLE + 1
    of = {"campaign_id": stored.id, "cycle": cycle}
    config = {"lr": 1e-5 + number * 1e-7, "layers": number % 8 + 1, "kind": "ab"[number % 2]}
    made = Proposal.make(
        campaign_id=stored.id, cycle=cycle, proposer="bayes", config=config, rationale="the largest expected gain"
    )
    job = f"j-{made.id[2:]}-{number}"
    outcome = Outcome(
        job_id=job,
        proposal_id=made.id,
        status="ok",
        config=config,
        seed=0,
        metrics={"loss": 1.0 / (number + 1), "time": 2.0},
        duration_s=1.5,
    )
    yield ProposalMade(**of, proposal=made)
    for voter in ("world_model", "novelty", "constraints"):
        yield VoteCast(**of, vote=Vote(proposal_id=made.id, voter=voter, score=0.4, reason="as far as one can tell"))
    yield ProposalTallied(**of, tally=Tally(proposal_id=made.id, score=0.4, weights={"novelty": 1.0}))
    yield ProposalRuled(
        **of,
        ruling=Ruling(proposal_id=made.id, decision="accept", risk=0.1, rule="all", reason="every gate was passed"),
    )
    yield JobStarted(
        **of, job_id=job, proposal_id=made.id, purpose="proposal", config=config, seed=0, directory="/nowhere"
    )
    yield JobFinished(**of, purpose="proposal", outcome=outcome, score=-1.0 / (number + 1))
    yield ModelCalled(
        **of, call=str(number), role="voter", seat="s", prompt="p", edition="1", model_id="ollama:a", input_tokens=900
    )
    if number % PER_CYCLE == PER_CYCLE - 1:
        yield CycleFinished(**of, stages={}, metrics={})
    else:
        yield ModelCalled(
            **of, call=f"{number}-2", role="voter", seat="s", prompt="p", edition="1", model_id="ollama:a"
        )


if __name__ == "__main__":
    main()
