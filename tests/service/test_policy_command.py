"""`policy` and `audit` on the command line."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from command_line import Cli, Running

from core.policy import Action
from memory import schema
from memory.audit import Audit
from memory.ledger import Ledger
from service.policy import Gate, Policy, local_context

CAMPAIGN = """
name: bowl
command: ["{python}", "{here}/train.py", "{config}"]
objective: {metric: loss, goal: minimize}
space: {x: {type: float, low: 0, high: 1}}
baseline: {x: 0.5}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A state folder with an audit of every action, asked for by two people."""
    home = tmp_path / "home"
    home.mkdir()
    with Ledger(home / "ledger.db") as ledger:
        for number, actor in enumerate(("ann", "bob")):
            gate = Gate(Policy.load(), Audit(ledger.database), clock=lambda number=number: 1_000_000.0 + 3600 * number)
            for action in Action:
                gate.decide(action, local_context(actor=actor, verified=True))
    return home


def test_explain_says_which_rule_decides_and_what_would_change_it(cli: Cli, tmp_path: Path) -> None:
    found = cli("policy", "explain", "pr-propose", "--context", "verified=true", "--json").json
    assert (found["answer"], found["rule"], found["source"]) == ("ask", "own-hands", "shipped")
    assert {"what": ["a person who says yes"], "answer": "allowed", "risk": found["risk"]} in found["changes"]
    text = cli("policy", "explain", "DEPLOY", "--context", "change_count=40").out
    assert "denied" in text
    assert "unverified" in text
    in_safe_mode = cli("policy", "explain", "DEPLOY", "--set", "safe_mode=true", "--json").json
    assert in_safe_mode["rule"] == "safe-mode"
    assert not (tmp_path / ".ratchet").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["explain", "DEPLOI"], 2, "did you mean 'DEPLOY'?"),
        (["explain", "DEPLOY", "--context", "verfied=1"], 2, "did you mean 'verified'?"),
        (["explain", "DEPLOY", "--context", "verified"], 2, "is not KEY=VALUE"),
        (["explain", "DEPLOY", "--context", "risk_level=huge"], 3, "risk_level"),
        (["explain", "DEPLOY", "--context", "change_count=-1"], 3, "change_count"),
        (["check", "nowhere.yaml"], 3, "no such rules file"),
    ],
)
def test_wrong_words_are_one_clear_error(cli: Cli, words: list[str], code: int, says: str) -> None:
    found = cli("policy", *words)
    assert found.code == code
    assert says in found.err


def test_what_show_prints_can_be_read_again_and_is_the_same(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(cli("policy", "show", "--yaml").out)
    assert cli("policy", "check", path).code == 0
    assert cli("policy", "show").code == 0
    own = ("--set", f"policy_file={path}")
    assert cli("policy", "show", "--json", *own).json["policy"] == cli("policy", "show", "--json").json["policy"]
    second = tmp_path / "second.yaml"
    second.write_text(cli("policy", "show", "--yaml", *own).out)
    assert cli("policy", "check", second).code == 0
    assert Policy.load(second).book == Policy.load().book


def test_a_broken_file_is_shown_with_its_line(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(cli("policy", "show", "--yaml").out.replace("effect: ask", "effect: aks"))
    checked = cli("policy", "check", path)
    assert checked.code == 3
    assert "rules.9.effect" in checked.err
    assert ", line " in checked.err
    shown = cli("policy", "show", "--set", f"policy_file={path}")
    assert (shown.code, "everything but reading is denied" in shown.out) == (3, True)
    assert cli("policy", "explain", "ROLLBACK", "--json", "--set", f"policy_file={path}").json["rule"] == "broken-file"


@pytest.mark.parametrize(
    "model",
    [
        "model: {roles: {director: 'openai:big'}}",
        "council: {supervisor: {use: reviewed, model: 'openai:big'}}",
        "council: {voting: [{use: persona, persona: far}]}",
    ],
)
def test_a_model_elsewhere_needs_leave_wherever_it_is_named(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://192.0.2.1/v1")  # nobody's, by RFC 5737
    (tmp_path / "train.py").touch()
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN + model)
    (tmp_path / "personas.yaml").write_text(
        "personas: [{name: far, description: You live elsewhere., model: 'openai:big'}]"
    )
    found = cli("run", str(tmp_path / "campaign.yaml"), "--set", "safe_mode=true", "--home", str(tmp_path / "home"))
    assert found.code == 3
    assert "REMOTE_CALL" in found.err


def test_audit_lists_pages_and_filters(cli: Cli, home: Path) -> None:
    count = len(Action)
    whole = cli("audit", "--json", home=home).json
    assert [e["seq"] for e in whole["entries"]] == list(range(2 * count, 0, -1))
    assert whole["before"] is None
    page = cli("audit", "--json", "--limit", 4, home=home).json
    then = cli("audit", "--json", "--limit", 4, "--before", page["before"], home=home).json
    assert [e["seq"] for e in page["entries"] + then["entries"]] == list(range(2 * count, 2 * count - 8, -1))
    found = cli("audit", "--json", "--action", "deploy", "--actor", "ann", "--decision", "ask", home=home).json
    assert [(e["action"], e["actor"], e["decision"]) for e in found["entries"]] == [("DEPLOY", "ann", "ask")]
    later = cli("audit", "--json", "--since", "1970-01-12T14:00", home=home).json["entries"]
    assert {e["actor"] for e in later} == {"bob"}
    assert cli("audit", "--json", "--since", "2h", home=home).json["entries"] == []
    assert "PR_PROPOSE" in cli("audit", home=home).out
    assert "no decision" in cli("audit", "--actor", "eve", home=home).out
    assert cli("audit", "--since", "yesterday-ish", home=home).code == 2
    assert cli("audit", "--action", "DEPLOI", home=home).code == 2
    assert cli("audit", "--limit", 0, home=home).code == 2


def test_audit_export_takes_the_filters_before_and_after_its_name(cli: Cli, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    told = cli("audit", "--actor", "ann", "export", path, "--action", "DEPLOY", "--json", home=home).json
    assert (told["entries"], told["format"]) == (1, "jsonl")
    (line,) = path.read_text().splitlines()
    assert (json.loads(line)["actor"], json.loads(line)["action"]) == ("ann", "DEPLOY")
    assert cli("audit", "export", tmp_path / "all.CSV", "--json", home=home).json["format"] == "csv"
    assert len((tmp_path / "all.CSV").read_text().splitlines()) == 2 * len(Action) + 1
    assert cli("audit", "export", tmp_path / "no" / "where.csv", home=home).code == 4


def test_audit_verify_names_the_first_broken_entry(cli: Cli, home: Path) -> None:
    told = cli("audit", "verify", "--json", home=home)
    assert (told.code, told.json["whole"], told.json["entries"]) == (0, True, 2 * len(Action))
    head = f"{told.json['head']['seq']}:{told.json['head']['hash']}"
    assert head in cli("audit", "verify", home=home).out
    assert cli("audit", "verify", "--head", head, home=home).code == 0
    with Ledger(home / "ledger.db") as ledger, ledger.database.write() as connection:
        connection.execute(sa.delete(schema.audit).where(schema.audit.c.seq == 2 * len(Action)))
    assert cli("audit", "verify", home=home).code == 0
    cut = cli("audit", "verify", "--head", head, home=home)
    assert (cut.code, "the end is missing" in cut.out) == (1, True)
    with Ledger(home / "ledger.db") as ledger, ledger.database.write() as connection:
        connection.execute(sa.update(schema.audit).where(schema.audit.c.seq == 3).values(decision="allowed!"))
    broken = cli("audit", "verify", "--json", home=home)
    assert (broken.code, broken.json["broken_at"]) == (1, 3)
    assert cli("audit", "verify", "--head", "1:xyz", home=home).code == 2


def test_a_server_says_at_its_start_that_the_rules_are_broken(start: Callable[..., Running], tmp_path: Path) -> None:
    broken = tmp_path / "policy.yaml"
    broken.write_text("rules: [")
    server = start("--set", f"policy_file={broken}", "serve", "--port", "0", home=tmp_path / "home")
    assert f"{broken}, line" in server.wait_for("err", "the rules file is broken")
    server.send(signal.SIGTERM)
    assert server.wait().code == 143
