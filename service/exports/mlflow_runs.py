"""A campaign as an MLflow experiment: one run for the campaign, and below it one for every trial.

Needs the extra `mlflow` (the small client, mlflow-skinny).  A run is found again by its proposal's id: exporting twice
adds only what is new.  A run that a killed export left half-written is deleted, and made anew.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import NotFoundError, StorageError, UnavailableError
from core.ids import canonical
from memory.candidates import Candidates
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from memory.state_folder import StateFolder
from service.exports.origin import Exported, origin_of, taken
from service.exports.trials import Trial, trials_of
from service.report import write_report

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

__all__ = ["export_mlflow", "tracking_uri"]

ORIGIN = "ratchet.origin"
PROPOSAL = "ratchet.proposal_id"
CAMPAIGN = "ratchet.campaign"
STATES = {"ok": "FINISHED", "stopped": "KILLED", "cancelled": "KILLED", "failed": "FAILED"}
FORBIDDEN = re.compile(r"[^\w./ \-]")
"""In the names of parameters and metrics."""
VALUE_CHARACTERS = 500
"""Of a parameter, which every server takes."""
METRICS_AT_ONCE = 1000
PARAMETERS_AT_ONCE = 100
RETRIES = "2"
"""Of a request, within seconds.  MLflow's own seven take four minutes to say that there is no server."""


def tracking_uri(out: str | Path) -> str:
    """The URI of a tracking store: `out` itself, or that of a SQLite file."""
    return str(out) if "://" in str(out) else f"sqlite:///{Path(out).absolute()}"


def export_mlflow(folder: StateFolder, ledger: Ledger, stored: StoredCampaign, out: str | Path) -> Exported:
    """Write the campaign into the tracking store `out` (a SQLite file or a URI), as the experiment of its id.

    Beside a SQLite file, the artifacts (report, diffs of candidates) lie in the folder `mlartifacts`.  Raises
    UnavailableError without MLflow, ConfigError when another campaign's experiment has that name, StorageError when the
    store cannot be used, BusyError while another process exports it.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before the import: it would tell its makers of us
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", RETRIES)
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as error:
        raise UnavailableError("MLflow is not installed", hint="pip install 'ratchet[mlflow]'") from error
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    uri = tracking_uri(out)
    lease = ledger.leases.acquire(f"export mlflow {stored.id}")
    try:
        history, trials = trials_of(ledger, stored)
        client = MlflowClient(tracking_uri=uri)
        experiment = _experiment(client, stored, out)
        there = _whole_runs(client, experiment)
        parent = _campaign_run(client, experiment, stored, history, there)
        client.log_artifact(parent, str(write_report(folder, stored, history)))
        candidates = folder.open_candidates(ledger) if stored.definition.kind == "code" else None
        new = [trial for trial in trials if trial.id not in there]
        for trial in new:
            _trial_run(client, experiment, parent, trial, candidates)
        total = sum(trial.id in there for trial in trials) + len(new)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise StorageError(
            f"the MLflow store cannot be used: {str(error).splitlines()[0][:200]}",
            where=str(out),
            hint="give a new file, or the URI of an MLflow tracking server",
        ) from error
    finally:
        ledger.leases.release(lease)
    return Exported(uri, stored.id, len(new), total)


def _experiment(client: MlflowClient, stored: StoredCampaign, out: str | Path) -> str:
    found = client.get_experiment_by_name(stored.id)
    origin = origin_of(stored)
    if found is None:
        # without a server of its own, MLflow would put artifacts into whatever folder one stands in
        beside = None if "://" in str(out) else (Path(out).absolute().parent / "mlartifacts" / stored.id).as_uri()
        tags = {ORIGIN: origin, CAMPAIGN: stored.id}
        return str(client.create_experiment(stored.id, artifact_location=beside, tags=tags))
    if found.tags.get(ORIGIN) != origin:
        raise taken("experiment", stored.id, str(out))
    return str(found.experiment_id)


def _whole_runs(client: MlflowClient, experiment: str) -> dict[str, str]:
    """Proposal, or `CAMPAIGN`, → run.  What a killed export left is deleted."""
    found: dict[str, str] = {}
    token: str | None = None
    while True:
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        for run in page:
            tags = run.data.tags
            if CAMPAIGN in tags:
                found[CAMPAIGN] = run.info.run_id
            elif PROPOSAL in tags and run.info.status == "RUNNING":
                client.delete_run(run.info.run_id)
            elif PROPOSAL in tags:
                found[tags[PROPOSAL]] = run.info.run_id
        token = page.token
        if not token:
            return found


def _campaign_run(
    client: MlflowClient, experiment: str, stored: StoredCampaign, history: History, there: Mapping[str, str]
) -> str:
    """The run of the campaign itself, told anew: its status, its definition, baseline, best and verdict."""
    from mlflow.entities import Metric, RunTag

    begun = round(stored.created_at * 1000)
    run = there.get(CAMPAIGN)
    if run is None:
        run = client.create_run(experiment, begun, {CAMPAIGN: stored.id}, stored.id).info.run_id
        definition = stored.definition.model_dump(
            mode="json", exclude={"space", "here", "file", "version"}, exclude_defaults=True
        )
        _log_parameters(client, run, {name: value for name, value in definition.items() if name != "environment"})
    objective = stored.definition.objective
    values: dict[str, float] = {"cycles": history.last_finished_cycle, "trials": len(history.experiments())}
    if history.baseline is not None:
        values["baseline"] = objective.value(history.baseline.mean)
    if (best := history.best()) is not None and best.score is not None:
        values["best"] = objective.value(best.score)
    tags = {"ratchet.status": stored.status, "ratchet.metric": objective.metric}
    if (verdict := history.verdict) is not None:
        values |= {"verdict.gain": verdict.gain, "verdict.low": verdict.low, "verdict.high": verdict.high}
        tags |= {"ratchet.verdict": verdict.answer, "ratchet.best": verdict.proposal_id}
    at = round(stored.updated_at * 1000)
    client.log_batch(
        run,
        metrics=[Metric(name, value, at, history.last_finished_cycle) for name, value in values.items()],
        tags=[RunTag(name, value) for name, value in tags.items()],
    )
    states = {"running": "RUNNING", "finished": "FINISHED", "failed": "FAILED"}
    client.update_run(run, status=states.get(stored.status, "KILLED"))
    if stored.status != "running":
        client.set_terminated(run, states.get(stored.status, "KILLED"), at)
    return str(run)


def _trial_run(client: MlflowClient, experiment: str, parent: str, trial: Trial, candidates: Candidates | None) -> None:
    """One run, whole when it is no longer RUNNING."""
    tags = {PROPOSAL: trial.id, "mlflow.parentRunId": parent, **_tags(trial)}
    run = client.create_run(experiment, round(trial.started_at * 1000), tags, trial.id).info.run_id
    _log_parameters(client, run, trial.config)
    metrics = list(_metrics(trial))
    for at in range(0, len(metrics), METRICS_AT_ONCE):
        client.log_batch(run, metrics=metrics[at : at + METRICS_AT_ONCE])
    if candidates is not None and (diff := _diff(candidates, trial.id)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{trial.id}.diff"
            path.write_text(diff, encoding="utf-8", errors="backslashreplace")
            client.log_artifact(run, str(path))
    client.set_terminated(run, STATES[trial.status], round(trial.finished_at * 1000))


def _metrics(trial: Trial) -> Iterator[Metric]:
    """The reports by their steps, then what the job gave, a step further: the last value is the result."""
    from mlflow.entities import Metric

    for report in trial.reports:
        for name, value in report.metrics.items():
            yield Metric(_name(name), value, round(report.at * 1000), report.step)
    last = max((report.step for report in trial.reports), default=-1) + 1
    at = round(trial.finished_at * 1000)
    for name, value in trial.outcome.metrics.items():
        yield Metric(_name(name), value, at, last)
    yield Metric("ratchet.seconds", trial.outcome.duration_s, at, last)


def _tags(trial: Trial) -> dict[str, str]:
    proposal, outcome = trial.proposal, trial.outcome
    told = {
        "ratchet.cycle": str(proposal.cycle),
        "ratchet.proposer": proposal.proposer,
        "ratchet.source": proposal.source,
        "ratchet.job": outcome.job_id,
        "ratchet.seed": str(outcome.seed),
        "ratchet.status": outcome.status,
        "mlflow.note.content": proposal.rationale,
        **{f"ratchet.vote.{vote.voter}": f"{vote.score:g}" for vote in trial.votes},
    }
    if outcome.cause:
        told["ratchet.cause"] = outcome.cause
    if trial.ruling is not None:
        told["ratchet.ruling"] = f"{trial.ruling.decision} ({trial.ruling.rule})"
    return {_name(name): value[:5000] for name, value in told.items()}


def _log_parameters(client: MlflowClient, run: str, config: Mapping[str, Any]) -> None:
    from mlflow.entities import Param

    told = [
        Param(_name(name), (value if isinstance(value, str) else canonical(value))[:VALUE_CHARACTERS])
        for name, value in config.items()
    ]
    for at in range(0, len(told), PARAMETERS_AT_ONCE):
        client.log_batch(run, params=told[at : at + PARAMETERS_AT_ONCE])


def _diff(candidates: Candidates, proposal_id: str) -> str:
    try:
        return candidates.diff(proposal_id)
    except NotFoundError:
        return ""


def _name(name: str) -> str:
    return FORBIDDEN.sub("_", name)[:250]
