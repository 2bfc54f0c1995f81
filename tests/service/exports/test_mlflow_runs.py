"""The experiment, as MLflow's own client reads it from a SQLite store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from told_campaign import Told, tell_campaign, tell_cycle

from core.errors import ConfigError, StorageError
from service.exports.mlflow_runs import PROPOSAL, export_mlflow, tracking_uri

# MLflow's import and its first tables take seconds
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mlflow")]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Told, Path]]:
    """A campaign and the store that it was exported to; tests may add to both."""
    pytest.importorskip("mlflow", reason="mlflow-skinny is not installed")
    base = tmp_path_factory.mktemp("mlflow")
    told = tell_campaign(base / "home")
    done = export_mlflow(told.folder, told.ledger, told.ledger.campaign(told.stored.id), base / "mlflow.db")
    assert (done.added, done.total) == (6, 6)
    yield told, base / "mlflow.db"
    told.ledger.close()


def runs(path: Path) -> tuple[Any, dict[str, Any]]:
    """The client, and the runs by proposal; the campaign's own under its id."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=tracking_uri(path))
    experiment = client.get_experiment_by_name("told-1")
    found = client.search_runs([experiment.experiment_id])
    return client, {run.data.tags.get(PROPOSAL, "told-1"): run for run in found}


def test_a_trial_is_a_run_below_the_campaigns(exported: tuple[Told, Path]) -> None:
    told, path = exported
    client, found = runs(path)
    first = found[told.proposals[0].id]
    assert first.data.params == {"lr": "0.01", "layers": "1", "kind": "sgd", "momentum": "0.1", "parts": '["a"]'}
    assert first.data.metrics == {"loss": 0.2, "time": 3.0, "ratchet.seconds": 0.75}
    assert first.info.status == "FINISHED"
    assert (first.info.start_time, first.info.end_time) == (1_800_000_025_000, 1_800_000_026_000)
    assert first.data.tags["ratchet.vote.novelty"] == "0.5"
    assert first.data.tags["ratchet.ruling"] == "accept (all)"
    assert first.data.tags["mlflow.parentRunId"] == found["told-1"].info.run_id
    history = client.get_metric_history(first.info.run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3)), (4, 0.2)]
    assert [found[p.id].info.status for p in told.proposals[1:3]] == ["KILLED", "FAILED"]


def test_the_campaign_has_its_verdict_and_its_report(exported: tuple[Told, Path]) -> None:
    _, path = exported
    client, found = runs(path)
    run = found["told-1"]
    assert run.info.status == "FINISHED"
    assert run.data.tags["ratchet.verdict"] == "better"
    assert run.data.metrics["baseline"] == pytest.approx(0.6)
    assert run.data.metrics["verdict.gain"] == 0.4
    assert [artifact.path for artifact in client.list_artifacts(run.info.run_id)] == ["told-1.html"]
    report = next((path.parent / "mlartifacts").rglob("told-1.html"))  # beside the store, not where one stands
    assert "told" in report.read_text()


def test_exporting_again_adds_what_is_new_and_mends_what_is_half(exported: tuple[Told, Path]) -> None:
    told, path = exported
    client, before = runs(path)
    half = client.create_run(
        before["told-1"].info.experiment_id, tags={PROPOSAL: "p-half"}, run_name="left by a killed export"
    )
    mine = client.create_run(before["told-1"].info.experiment_id, run_name="a run of the user's own")
    tell_cycle(told, 3)
    stored = told.ledger.campaign(told.stored.id)
    again = export_mlflow(told.folder, told.ledger, stored, path)
    assert (again.added, again.total) == (3, 9)
    assert export_mlflow(told.folder, told.ledger, stored, path).added == 0
    assert client.get_run(half.info.run_id).info.lifecycle_stage == "deleted"
    assert client.get_run(mine.info.run_id).info.lifecycle_stage == "active"
    assert client.get_run(mine.info.run_id).info.status == "RUNNING"


def test_what_is_anothers_or_no_store_is_left_alone(exported: tuple[Told, Path], tmp_path: Path) -> None:
    other = tell_campaign(tmp_path / "other", cycles=1)
    with other.ledger.database.write() as connection:
        connection.exec_driver_sql("UPDATE campaign SET created_at = 5")
    with pytest.raises(ConfigError, match="not of this campaign"):
        export_mlflow(other.folder, other.ledger, other.ledger.campaign("told-1"), exported[1])
    text = tmp_path / "notes.txt"
    text.write_text("mine\n" * 100)
    with pytest.raises(StorageError):
        export_mlflow(other.folder, other.ledger, other.ledger.campaign("told-1"), text)
    assert text.read_text() == "mine\n" * 100
    other.ledger.close()


def test_a_server_that_does_not_answer_is_given_up_soon(exported: tuple[Told, Path]) -> None:
    asked: list[str] = []

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            pass

    told, _ = exported
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            where = f"http://127.0.0.1:{server.server_address[1]}"
            with pytest.raises(StorageError, match="cannot be used"):
                export_mlflow(told.folder, told.ledger, told.ledger.campaign(told.stored.id), where)
        finally:
            server.shutdown()
    assert len(asked) == 3
