"""Coverage of the 90 % prediction interval over a finished campaign, predicted again cycle by cycle from its ledger.

    python benchmarks/calibration.py STATE_FOLDER CAMPAIGN_ID

Runs no jobs: each cycle's trials are predicted from what was known before it, as the council would today, with and
without the factor that past residuals teach.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from agents.forecasts import calibration_of
from core.records import Experiment
from graph.context import opening_case
from graph.loading import space_of
from memory.history import History
from memory.state_folder import StateFolder


def main() -> None:
    folder, campaign_id = StateFolder(Path(sys.argv[1])), sys.argv[2]
    with folder.open_ledger() as ledger:
        stored, history = ledger.campaign(campaign_id), History.load(ledger, campaign_id)
    campaign, space = stored.definition, space_of(stored.definition)
    baseline = history.baseline
    if baseline is not None and not baseline.metric_noise:
        runs = [history.outcomes[job].metrics for job in baseline.jobs]
        noise = {name: float(np.std([run[name] for run in runs], ddof=1)) for name in baseline.metrics}
        history.baseline = baseline.model_copy(update={"metric_noise": noise})
    again: list[Experiment] = []
    for number in sorted(history.cycles):
        case = opening_case(campaign_id, campaign, space, history, number)
        case = type(case)(**{**vars(case), "history": tuple(again), "memo": {}})
        for experiment in history.cycles[number].experiments():
            score, metrics = case.oracle().expect(experiment.config)
            proposal = experiment.proposal.model_copy(update={"expected": score, "expected_metrics": metrics})
            again.append(experiment.model_copy(update={"proposal": proposal}))
    told = calibration_of(again)
    if not told:
        raise SystemExit("nothing was predicted")
    for name, one in {"score": told["score"], "score, uncorrected": told["uncorrected"], **told["metrics"]}.items():
        print(f"{name:22} {one['covered']:6.1%} of {one['n']} inside ({one['low']:.0%} … {one['high']:.0%}), "
              f"half-width {one['half_width']:.3g}, error {one['error']:.3g}")  # fmt: skip


if __name__ == "__main__":
    main()
