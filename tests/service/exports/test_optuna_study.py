"""The study, as Optuna loads it and as its dashboard answers for it over loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import optuna
import pytest
from command_line import ROOT, Cli
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState
from told_campaign import Told, tell_campaign, tell_cycle

from core.errors import BusyError, ConfigError, StorageError
from service.exports.optuna_study import export_optuna, storage_url

pytestmark = pytest.mark.xdist_group("optuna")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Told, Path]]:
    """A campaign and the storage that it was exported to; tests may add to both."""
    base = tmp_path_factory.mktemp("optuna")
    told = tell_campaign(base / "home")
    export_optuna(told.ledger, told.ledger.campaign(told.stored.id), base / "study.db")
    yield told, base / "study.db"
    told.ledger.close()


def study(path: Path, name: str = "told-1") -> optuna.Study:
    return optuna.load_study(study_name=name, storage=storage_url(path))


def test_optuna_loads_the_trials_as_they_were(exported: tuple[Told, Path]) -> None:
    _, path = exported
    loaded = study(path)
    assert loaded.direction == optuna.study.StudyDirection.MINIMIZE
    trials = loaded.trials[:6]
    assert [t.state for t in trials] == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL] * 2
    assert [t.value for t in trials] == [0.2, 0.9, None, 0.1, 0.9, None]
    assert loaded.best_trial.value == 0.1
    first = trials[0]
    assert first.params == {"lr": 0.01, "layers": 1, "kind": "sgd", "momentum": 0.1, "parts": '["a"]'}
    assert first.distributions["lr"] == FloatDistribution(1e-4, 1.0, log=True)
    assert first.distributions["layers"] == IntDistribution(1, 8)
    assert first.distributions["kind"] == CategoricalDistribution(("sgd", "adam", True, None))
    assert trials[1].params["kind"] is True
    assert "momentum" not in trials[1].params  # conditional
    assert trials[2].params["kind"] is None
    assert first.intermediate_values == {1: 1.0, 2: 0.5, 3: pytest.approx(1 / 3)}
    assert first.datetime_start == datetime.fromtimestamp(1_800_000_025)
    assert first.duration is not None
    assert first.duration.total_seconds() == 1.0


def test_attributes_say_where_a_trial_comes_from(exported: tuple[Told, Path]) -> None:
    told, path = exported
    attributes = study(path).trials[0].user_attrs
    assert attributes["proposal_id"] == told.proposals[0].id
    assert attributes["proposer"] == "=HYPERLINK(1)"
    assert attributes["cycle"] == 1
    assert attributes["votes"] == {"novelty": 0.5}
    assert attributes["ruling"] == {"decision": "accept", "rule": "all", "risk": 0.1, "tally": 0.5}
    of_all = study(path).user_attrs
    assert of_all["baseline"]["value"] == pytest.approx(0.6)
    assert of_all["verdict"]["answer"] == "better"


def test_exporting_again_adds_only_what_is_new(exported: tuple[Told, Path]) -> None:
    told, path = exported
    before = len(study(path).trials)
    stored = told.ledger.campaign(told.stored.id)
    assert export_optuna(told.ledger, stored, path).added == 0
    tell_cycle(told, 10 + before)
    again = export_optuna(told.ledger, stored, path)
    assert (again.added, again.total) == (3, before + 3)
    ids = [trial.user_attrs["proposal_id"] for trial in study(path).trials]
    assert len(ids) == len(set(ids)) == before + 3


def test_a_study_of_somebody_else_is_left_alone(exported: tuple[Told, Path], tmp_path: Path) -> None:
    other = tell_campaign(tmp_path / "other", cycles=1)  # another folder, the same name
    other.ledger.clock.now += 5  # type: ignore[attr-defined]
    twin = other.ledger.create_campaign(other.stored.definition)
    with other.ledger.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE campaign SET created_at = 5 WHERE id = '{other.stored.id}'")
    before = len(study(exported[1]).trials)
    with pytest.raises(ConfigError, match="not of this campaign"):
        export_optuna(other.ledger, other.ledger.campaign(other.stored.id), exported[1])
    assert len(study(exported[1]).trials) == before
    assert export_optuna(other.ledger, twin, exported[1]).added == 0  # a second campaign beside it
    assert set(optuna.get_all_study_names(storage_url(exported[1]))) == {"told-1", "told-2"}
    other.ledger.close()


def test_what_is_no_storage_is_said_and_left_as_it_is(told: Told, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("mine\n" * 100)
    with pytest.raises(StorageError):
        export_optuna(told.ledger, told.stored, text)
    assert text.read_text() == "mine\n" * 100


HOLDING = """
import sys
from memory.ledger import Ledger
with Ledger(sys.argv[1]) as ledger:
    ledger.leases.acquire("export optuna told-1")
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_exports_at_once_are_one_after_the_other(told: Told, tmp_path: Path) -> None:
    words = [sys.executable, "-c", HOLDING, told.folder.ledger_url]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BusyError):
            export_optuna(told.ledger, told.stored, tmp_path / "study.db")
        other.stdin.close()
    assert export_optuna(told.ledger, told.stored, tmp_path / "study.db").added == 6


def test_the_dashboard_answers_for_it(exported: tuple[Told, Path]) -> None:
    dashboard = pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    with served(dashboard.wsgi(storage_url(exported[1]))) as address:
        (summary,) = (s for s in get(f"{address}/api/studies")["study_summaries"] if s["study_name"] == "told-1")
        detail = get(f"{address}/api/studies/{summary['study_id']}?after=0")
        page = urllib.request.urlopen(f"{address}/dashboard", timeout=60).read().decode()
    assert len(detail["trials"]) >= 6
    first = detail["trials"][0]
    assert first["state"] == "Complete"
    assert [float(value) for value in first["values"]] == [0.2]
    assert {p["name"] for p in first["params"]} == {"lr", "layers", "kind", "momentum", "parts"}
    assert "<html" in page.lower()


def test_the_command_exports_it(cli: Cli, told: Told) -> None:
    made = cli("export", "--to", "optuna", "--json", home=told.folder.home)
    assert made.code == 0
    assert (made.json["added"], made.json["total"]) == (6, 6)
    assert len(study(told.folder.home / "exports" / "optuna.db").trials) == 6


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(application: Any) -> Iterator[str]:
    server: WSGIServer = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


def get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return json.load(answer)
