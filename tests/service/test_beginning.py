"""`init`, `doctor` and `demo`: the first five minutes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from command_line import ROOT, Cli, call_process

from core.campaign import Campaign
from graph.loading import load_campaign
from tests.model_servers import council_answers
from tests.model_servers.ollama_stand_in import start as start_server


def test_what_init_writes_runs_and_improves(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "my first try"
    answer = cli("init", folder)
    assert answer.code == 0
    assert str(folder) in answer.out
    assert cli("run", folder, "--dry-run").code == 0
    told = cli("run", folder, "--json", "--cycles", "3", home=tmp_path / "home")
    assert told.code == 0, told
    assert told.json["name"] == "my-first-try"
    assert told.json["best"]["interval"]["answer"] == "better"
    assert told.json["best"]["interval"]["low"] > told.json["baseline"]["noise_sd"]


def test_init_overwrites_nothing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("mine")
    answer = cli("init", tmp_path)
    assert answer.code == 3
    assert "train.py is there already" in answer.err
    assert (tmp_path / "train.py").read_text() == "mine"
    assert not (tmp_path / "campaign.yaml").exists()
    assert cli("init", tmp_path / "train.py").code == 3
    assert cli("init", "/proc/nowhere").code == 4


def test_init_explains_every_key_and_each_can_be_used(cli: Cli, tmp_path: Path) -> None:
    cli("init", tmp_path / "c")
    path = tmp_path / "c" / "campaign.yaml"
    # every optional key taken in, where it stands twice (short and long) the long one
    lines: dict[str, str] = {}
    text = re.sub(r"(?m)^#~ ", "", path.read_text())
    blocks = re.split(r"(?m)^(?=\w+:)", text)
    for block in blocks[1:]:
        lines[block.partition(":")[0]] = block
    path.write_text("".join(lines.values()))
    campaign = load_campaign(path)
    written = set(yaml.safe_load(path.read_text()))
    # `code` and `live` are keys of campaigns of other kinds
    assert written == set(Campaign.model_fields) - {"here", "file", "version", "code", "live"} | {"schema"}
    assert campaign.early_stop is not None
    assert campaign.until is not None
    assert set(campaign.council.model_fields_set) == set(type(campaign.council).model_fields) - {"version"}


def test_doctor_is_content_and_leaves_nothing_behind(cli: Cli, tmp_path: Path) -> None:
    home = tmp_path / "home"
    answer = cli("doctor", "--json", home=home)
    assert answer.code == 0, answer
    checks = {c["check"]: c for c in answer.json["checks"]}
    assert set(checks) >= {"python", "packages", "sqlite", "state folder", "ledger", "embeddings", "recall", "jobs"}
    assert all(c["status"] in ("ok", "warn") for c in checks.values())
    assert "time: monotonic clock" in checks["jobs"]["found"]
    assert not list(home.glob("doctor-*"))
    text = cli("doctor", home=home)
    assert text.code == 0
    assert len(text.out.splitlines()) >= len(checks)


def test_doctor_sets_a_damaged_ledger_aside(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert cli("run", tiny, "-q", "--cycles", "1", home=home).code == 0
    ledger = home / "ledger.db"
    content = bytearray(ledger.read_bytes())
    content[:100] = b"garbage " * 12 + b"????"
    ledger.write_bytes(content)
    answer = cli("doctor", "--json", home=home)
    assert answer.code == 4
    found = next(c for c in answer.json["checks"] if c["check"] == "ledger")
    assert found["status"] == "fail"
    assert "recover" in found["fix"]
    assert (home / "ledger.db.damaged-1").read_bytes() == bytes(content)
    assert cli("doctor", home=home).code == 0


def test_doctor_says_when_the_folder_cannot_be_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = cli("doctor", "--json", home=tmp_path / "file" / "home")
    assert answer.code == 4
    assert answer.json["status"] == "fail"


@pytest.mark.slow
def test_demo_is_a_real_campaign(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    small = [
        "--set",
        "budget.cycles=1",
        "--set",
        "council.jobs_per_cycle=1",
        "--set",
        "noise={repeats: 1, verdict_pairs: 2}",
    ]
    answer = call_process("demo", "--no-service", *small, home=tmp_path / "home")
    assert answer.code == 0, answer
    assert "verdict:" in answer.out
    assert "not a language model" in answer.out
    assert "report: " in answer.out
    assert "auc" in answer.err
    assert (ROOT / "campaigns" / "breast_cancer" / "campaign.yaml").exists()


@pytest.mark.slow
@pytest.mark.parametrize("dies", [False, True])
def test_the_demo_with_a_model_behind_every_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: bool) -> None:
    pytest.importorskip("sklearn")
    with start_server(answer=council_answers.answer) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        if dies:
            server.die_after(15)
        small = (
            "--set",
            "budget.cycles=2",
            "--set",
            "council.jobs_per_cycle=1",
            "--set",
            "control=[]",
            "--set",
            "noise={repeats: 1, verdict_pairs: 2}",
            "--set",
            "model.retries=0",
        )
        answer = call_process(
            "demo", "--no-service", "--model", "ollama:llama3.2", "--json", *small, home=tmp_path / "home"
        )
    told = answer.json["model"]
    assert answer.json["status"] == "finished"
    assert answer.json["best"]["interval"] is not None
    assert set(told["roles"]) == {"director", "proposer", "voter", "supervisor", "historian"}
    assert (answer.code, told["degraded"], told["died"]) == ((4, True, True) if dies else (0, False, False))
    assert bool(told["failed"]) == dies
