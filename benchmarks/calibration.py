"""Coverage of the 90 % prediction interval: what each trial was expected to give, against what it then gave.

    python benchmarks/calibration.py [--seeds 2] [--cycles 10]       runs the shipped campaigns, some minutes a seed
    python benchmarks/calibration.py STATE_FOLDER CAMPAIGN_ID        a campaign that ran before; runs no jobs

Predicted again cycle by cycle from the ledger: each cycle's trials from what was known before it, as the council would
today, with and without the factor that past residuals teach.  The last rows pool the campaigns.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.forecasts import calibration_of, score_forecasts
from core.records import Experiment
from graph.context import opening_case
from graph.loading import space_of
from memory.history import History
from memory.state_folder import StateFolder
from search.calibration import calibrate

ROOT = Path(__file__).parents[1]
SHIPPED = ("breast_cancer", "digits_cnn")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", nargs="?", type=Path)
    arguments.add_argument("campaign", nargs="?")
    arguments.add_argument("--seeds", type=int, default=2)
    arguments.add_argument("--cycles", type=int, default=10)
    given = arguments.parse_args()
    if given.folder is not None:
        show(predicted_again(given.folder, given.campaign))
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in SHIPPED:
            pooled: list[Experiment] = []
            for seed in range(given.seeds):
                home = Path(folder) / f"{name}-{seed}"
                run(name, seed, given.cycles, home)
                told = predicted_again(home, "")
                print(f"{name}, seed {seed}", flush=True)
                show(told)
                pooled += told
            whole = calibrate(score_forecasts(pooled))
            assert whole is not None
            print(f"{name}, all seeds: {whole.covered:.1%} of {whole.n} inside ({whole.low:.0%} … {whole.high:.0%})")


def run(name: str, seed: int, cycles: int, home: Path) -> None:
    """A shipped campaign without control arm and verdict, which are not predicted."""
    command = [sys.executable, "run_graph.py", "run", f"campaigns/{name}", "--cycles", str(cycles), "--seed", str(seed)]
    extra = ["--set", "control=[]", "--set", "noise.verdict_pairs=0", "--quiet", "--home", str(home)]
    subprocess.run([*command, *extra], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def predicted_again(home: Path, campaign_id: str) -> list[Experiment]:
    """The experiments of the campaign (default: the only one), each with what was expected of it."""
    with StateFolder(home).open_ledger() as ledger:
        stored = ledger.campaign(campaign_id) if campaign_id else ledger.campaigns()[0]
        history = History.load(ledger, stored.id)
    campaign, space = stored.definition, space_of(stored.definition)
    baseline = history.baseline
    if baseline is not None and not baseline.metric_noise:
        runs = [history.outcomes[job].metrics for job in baseline.jobs]
        noise = {name: float(np.std([run[name] for run in runs], ddof=1)) for name in baseline.metrics}
        history.baseline = baseline.model_copy(update={"metric_noise": noise})
    again: list[Experiment] = []
    for number in sorted(history.cycles):
        case = opening_case(stored.id, campaign, space, history, number)
        case = type(case)(**{**vars(case), "history": tuple(again), "memo": {}})
        for experiment in history.cycles[number].experiments():
            score, metrics = case.oracle().expect(experiment.config)
            proposal = experiment.proposal.model_copy(update={"expected": score, "expected_metrics": metrics})
            again.append(experiment.model_copy(update={"proposal": proposal}))
    return again


def show(experiments: Sequence[Experiment]) -> None:
    told = calibration_of(experiments)
    if not told:
        raise SystemExit("nothing was predicted")
    for name, one in {"score": told["score"], "score, uncorrected": told["uncorrected"], **told["metrics"]}.items():
        print(f"  {name:22} {one['covered']:6.1%} of {one['n']} inside ({one['low']:.0%} … {one['high']:.0%}), "
              f"half-width {one['half_width']:.3g}, error {one['error']:.3g}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
