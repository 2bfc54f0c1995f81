"""The program with a person in it, as real processes: parked and gone on with, and at a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_line import DEADLINE_S, ROOT, Answer, Cli, Running, call_process, environment

from core.events import ApprovalAsked
from memory.ledger import Ledger

SCRIPT = """
import json, os, sys
config = json.load(open(sys.argv[1]))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "ran.log"), "a") as log:
    log.write(json.dumps(config, sort_keys=True) + "\\n")
print(json.dumps({"score": config["x"]}))
"""
ROLES = """
from core.records import Direction, Ruling, Vote

def director():
    async def direct(case, kit):
        return Direction(cycle=case.cycle, mode="explore", jobs=9, reason="all there are")
    return direct

def fixed():
    async def propose(case, kit):
        return [case.propose("fixed", {"x": x, "n": 3}, "the \\x1b[2Jnext") for x in (0.2, 0.5, 0.8)]
    return propose

def voter():
    async def vote(proposal, case, kit):
        return Vote(proposal_id=proposal.id, voter="voter", score=0.5, reason="fine")
    return vote

def supervisor():
    async def rule(proposal, case, kit):
        return Ruling(proposal_id=proposal.id, decision="accept", risk=proposal.config["x"], rule="x", reason="as x is")
    return rule

def historian():
    async def learn(experiments, case, kit):
        return []
    return learn
"""
CAMPAIGN: dict[str, Any] = {
    "name": "asked",
    "command": ["{python}", "-I", "-S", "{here}/train.py", "{config}"],
    "objective": {"metric": "score"},
    "space": {"x": {"type": "float", "low": 0, "high": 1}, "n": {"type": "int", "low": 1, "high": 9}},
    "baseline": {"x": 0.1, "n": 1},
    "budget": {"cycles": 1},
    "noise": {"repeats": 1, "verdict_pairs": 0},
    "approvals": "confirm",
    "council": {
        "director": "roles.py:director",
        "proposers": ["roles.py:fixed"],
        "voting": ["roles.py:voter"],
        "supervisor": "roles.py:supervisor",
        "historian": "roles.py:historian",
    },
}
ID = "asked-1"


class Place:
    """A campaign's folder beside its state folder, which both can be copied."""

    def __init__(self, base: Path) -> None:
        self.base, self.folder, self.home = base, base / "asked", base / "home"

    @classmethod
    def make(cls, base: Path) -> Place:
        place = cls(base)
        place.folder.mkdir(parents=True)
        (place.folder / "campaign.yaml").write_text(json.dumps(CAMPAIGN))
        (place.folder / "train.py").write_text(SCRIPT)
        (place.folder / "roles.py").write_text(ROLES)
        return place

    def xs(self) -> list[float]:
        """What was run beside the baseline."""
        log = (self.folder / "ran.log").read_text().splitlines()
        return sorted(config["x"] for config in map(json.loads, log) if config["x"] != 0.1)


@dataclass(frozen=True)
class Parked:
    """A run that was killed at its first question, and the same gone on with, without a terminal."""

    place: Place
    asked: dict[str, Any]
    answer: Answer


@pytest.fixture(scope="module")
def parked(tmp_path_factory: pytest.TempPathFactory) -> Parked:
    place = Place.make(tmp_path_factory.mktemp("parked"))
    running = Running("run", place.folder, "--json-stream", "--approvals", "ask", home=place.home)
    try:
        asked = json.loads(running.wait_for("out", '"ApprovalAsked"'))["approval"]
        running.send(signal.SIGKILL)
        running.wait()
    finally:
        running.close()
    answer = call_process("resume", ID, home=place.home)
    shutil.copytree(place.home, place.base / "as it parked")
    return Parked(place, asked, answer)


@pytest.fixture
def copy(parked: Parked, tmp_path: Path) -> Place:
    """The state folder with three questions that wait: of low, medium and high risk."""
    place = Place(tmp_path / "copy")
    shutil.copytree(parked.place.base / "as it parked", place.home)
    return place


def waiting(cli: Cli, home: Path) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = cli("inbox", "--json", home=home).json["waiting"]
    return told


def test_killed_at_the_question_and_resumed_it_parks_the_same_question_once(parked: Parked, cli: Cli) -> None:
    place, ended = parked.place, parked.answer
    assert ended.code == 5, ended.err
    last = ended.err.strip().splitlines()[-1]
    home = f"--home {place.home}"
    assert last == f"go on with: python run_graph.py {home} inbox, then python run_graph.py {home} resume {ID}"
    assert place.xs() == []
    found = waiting(cli, place.base / "as it parked")
    assert [one["tier"] for one in found] == ["low", "medium", "high"]
    assert found[0]["id"] == parked.asked["id"]
    with Ledger(place.base / "as it parked" / "ledger.db") as ledger:
        assert len(list(ledger.events(ID, types=(ApprovalAsked,)))) == 3


def test_the_inbox_shows_what_waits_and_each_question_whole(copy: Place, cli: Cli) -> None:
    _, medium, high = waiting(cli, copy.home)
    assert (medium["tier"], high["tier"], high["shown"]["config"]) == ("medium", "high", {"x": 0.8, "n": 3})
    table = cli("inbox", home=copy.home).out
    assert medium["id"] in table
    assert "6.9 days left" in table or "7.0 days left" in table
    whole = cli("inbox", medium["id"][:6], home=copy.home).out
    for part in ("0.1 → 0.5", "voter +0.50", "medium risk (0.50)", "after 7 days it is rejected", "\\x1b[2Jnext"):
        assert part in whole
    assert "\x1b" not in whole
    forms = cli("inbox", medium["id"], "--json", home=copy.home).json
    assert forms["agent_inbox"]["action_request"]["args"] == {"x": 0.5, "n": 3}
    assert forms["review_configs"][0]["allowed_decisions"] == ["approve", "edit", "respond", "reject"]
    assert "3 wait" in cli("status", home=copy.home).out
    told = cli("status", "--json", home=copy.home).json["waiting"]
    assert [one["id"] for one in told][1:] == [medium["id"], high["id"]]


def test_answered_from_another_process_it_goes_on_and_runs_each_job_once(parked: Parked, cli: Cli) -> None:
    """The shared campaign is finished."""
    place = parked.place
    low, medium, high = waiting(cli, place.home)
    answered = call_process("approve", medium["id"], "--json", home=place.home)
    assert answered.code == 0, answered.err
    assert answered.json["answer"]["kind"] == "accept"
    assert "2 more to answer" in answered.err
    lost = cli("ignore", medium["id"], "--json", home=place.home)
    assert (lost.code, "was answered: accept" in lost.json["error"]["what"]) == (3, True)
    assert cli("approve", low["id"], home=place.home).code == 0
    last = cli("respond", high["id"], "keep", "x", "below", "0.6", home=place.home)
    assert (last.code, last.err.strip().endswith(f"resume {ID}")) == (0, True)
    done = call_process("resume", ID, "--json", home=place.home)
    assert done.code == 0, done.err
    assert done.json["status"] == "finished"
    assert place.xs() == [0.2, 0.5]


def test_an_answer_to_what_was_not_shown_or_after_another_is_refused(copy: Place, cli: Cli) -> None:
    _, medium, high = waiting(cli, copy.home)
    stale = cli("approve", medium["id"], "--shown", high["shown_hash"], home=copy.home)
    assert stale.code == 3
    assert "something else" in stale.err
    assert cli("approve", medium["id"], "--shown", medium["shown_hash"], home=copy.home).code == 0
    assert cli("approve", "a-none", home=copy.home).code == 3
    assert cli("respond", high["id"], "\x1b[2J", home=copy.home).code == 2
    audit = cli("audit", "--action", "APPROVE", "--json", home=copy.home).json
    assert {entry["decision"] for entry in audit["entries"]} == {"allowed"}


def test_an_edit_by_words_or_in_an_editor_until_it_can_run(
    copy: Place, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, medium, high = waiting(cli, copy.home)
    refused = cli("edit", medium["id"], "--set", "x=7", home=copy.home)
    assert (refused.code, "x" in refused.err, len(waiting(cli, copy.home))) == (3, True, 3)
    assert cli("edit", medium["id"], "--set", "x=0.4", home=copy.home).code == 0
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import sys, pathlib\n"
        "path, seen = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).with_name('seen')\n"
        "text = path.read_text()\n"
        "with seen.open('a') as file: file.write(text + '---\\n')\n"
        "path.write_text(text.replace('x: 0.8', 'x: 9') if 'x: 0.8' in text else text.replace('x: 9', 'x: 0.6'))\n"
    )
    monkeypatch.setenv("EDITOR", f"{sys.executable} {editor}")
    monkeypatch.delenv("VISUAL", raising=False)
    told = cli("edit", high["id"], "--json", home=copy.home)
    assert told.code == 0, told.err
    assert told.json["answer"]["config"] == {"x": 0.6, "n": 3}
    first, second, _ = (tmp_path / "seen").read_text().split("---\n")
    assert "# " + high["id"] in first
    assert "x = 9" in second.splitlines()[0]
    monkeypatch.setenv("EDITOR", "true")
    assert cli("edit", high["id"], home=copy.home).code == 2  # nothing was changed


def test_a_remembered_yes_is_listed_and_forgotten(copy: Place, cli: Cli) -> None:
    _, medium, _ = waiting(cli, copy.home)
    assert cli("approve", medium["id"], "--remember", "project", home=copy.home).code == 0
    (rule,) = cli("inbox", "--rules", "--json", home=copy.home).json["rules"]
    assert (rule["proposer"], rule["max_risk"], rule["scope"]) == ("fixed", 0.5, "project")
    assert rule["id"] in cli("inbox", "--rules", home=copy.home).out
    assert cli("inbox", "--forget", rule["id"], home=copy.home).code == 0
    assert cli("inbox", "--rules", "--json", home=copy.home).json["rules"] == []
    assert cli("inbox", "--forget", rule["id"], home=copy.home).code == 3


class Terminal:
    """The program with a pseudo-terminal as its stdin and stderr."""

    def __init__(self, *words: object, home: Path) -> None:
        self.master, slave = pty.openpty()
        command = [sys.executable, str(ROOT / "run_graph.py"), *map(str, words), "--home", str(home)]
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stderr=slave,
            stdout=subprocess.DEVNULL,
            env={**environment(), "TERM": "xterm", "COLUMNS": "80"},
            cwd=home.parent,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""

    def wait_for(self, text: str) -> str:
        """What came up to `text`, which is taken away."""
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], DEADLINE_S)
            assert ready, f"{text!r} did not come: {self.seen[-2000:]}"
            try:
                self.seen += os.read(self.master, 65536).decode("utf-8", "replace")
            except OSError:
                raise AssertionError(f"it ended without {text!r}: {self.seen[-2000:]}") from None
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_(*words: object, home: Path) -> Terminal:
        opened.append(Terminal(*words, home=home))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def test_at_a_terminal_it_asks_there_and_an_answer_from_elsewhere_counts_too(
    tmp_path: Path, terminal: Callable[..., Terminal], cli: Cli
) -> None:
    place = Place.make(tmp_path / "here")
    shown = terminal("run", place.folder, "--approvals", "ask", "--color", "never", home=place.home)
    shown.wait_for("low risk (0.20)")
    shown.wait_for("> ")
    for odd in ("what\n", "e x=7\n", "a everywhere\n", "\x01\x02\n"):
        shown.type(odd)
        shown.wait_for("error  ")
        shown.wait_for("> ")
    _, medium, _ = waiting(cli, place.home)
    shown.type("\n")  # at low risk an empty line is a yes
    shown.wait_for("medium risk (0.50)")
    shown.wait_for("> ")
    shown.type("\n")
    shown.wait_for("an empty line says nothing")
    shown.wait_for("> ")
    assert cli("ignore", medium["id"], "not", "this", home=place.home).code == 0
    shown.wait_for(f"{medium['id']} was answered: ignore by")
    shown.wait_for("(cli)")
    shown.wait_for("high risk (0.80)")
    shown.wait_for("> ")
    shown.type("e x=0.7\n")
    assert shown.process.wait(timeout=DEADLINE_S) == 0
    assert place.xs() == [0.2, 0.7]
