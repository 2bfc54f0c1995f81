"""Whole campaigns with a language model behind real HTTP: every role answers, dies, is capped, killed and replayed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_campaign import account, events, kill, run, start, write_campaign

from core.events import ModelCalled
from memory.history import History
from memory.ledger import Ledger
from tests.model_servers.council_answers import answer
from tests.model_servers.ollama_stand_in import Server
from tests.model_servers.ollama_stand_in import start as start_server

ROLES = {"director", "proposer", "voter", "supervisor", "historian"}
SMALL: dict[str, Any] = {"budget": {"cycles": 1}, "control": [], "noise": {"repeats": 1, "verdict_pairs": 2}}


@pytest.fixture
def server() -> Iterator[Server]:
    with start_server(answer=answer) as one:
        yield one


def words(path: Path, home: str = "home", model: str = "ollama:llama3.2", *more: str) -> tuple[str, ...]:
    return ("run", str(path), "--home", str(path.parent / home), "--model", model, *more)


def at(server: Server) -> dict[str, dict[str, str]]:
    return {"env": {"OLLAMA_HOST": server.url}}


def calls(home: Path) -> list[ModelCalled]:
    with Ledger(home / "ledger.db") as ledger:
        return History.load(ledger, "tiny-1").model_calls


def comparable(home: Path) -> dict[str, Any]:
    """The account; proposers and voters speak side by side, so the order of telling is nobody's decision."""
    told = account(home)
    for cycle in told["cycles"].values():
        cycle["proposals"] = sorted(cycle["proposals"], key=lambda p: p["id"])
        cycle["votes"] = {p: sorted(votes, key=lambda v: v["voter"]) for p, votes in cycle["votes"].items()}
    return told


def test_every_role_is_answered_and_told_of(tmp_path: Path, server: Server) -> None:
    path = write_campaign(tmp_path)
    code, lines, _ = run(*words(path, "home", "auto"), **at(server))
    result = lines[-1]
    assert code == 0
    assert result["status"] == "finished"
    assert result["model"]["chosen"][0]["model"] == "ollama:llama3.2"
    assert set(result["model"]["roles"]) == ROLES
    assert result["model"]["calls"] == len(server.calls)
    assert result["model"]["failed"] == 0
    assert result["model"]["input_tokens"] > 0
    with Ledger(tmp_path / "home" / "ledger.db") as ledger:
        history = History.load(ledger, "tiny-1")
    first = history.cycles[1]
    assert first.direction is not None
    assert (first.direction.source, first.direction.focus) == ("model", ("y",))
    assert {e.proposal.source for e in first.proposals.values() if e.proposal.proposer == "idea"} == {"model"}
    voices = {v.vote.voter for told in first.votes.values() for v in told if v.vote.source == "model"}
    assert voices == {"research", "creative", "critical", "summariser", "dissenter"}
    assert {r.ruling.source for r in first.rulings.values() if r.ruling.decision == "accept"} == {"model"}
    asked = next(e.proposal for e in history.cycles[2].proposals.values() if e.proposal.proposer == "analogy")
    assert (asked.source, len(asked.memories)) == ("model", 1)
    plans = [t.steps for t in history.trajectories.values() if t.steps[0] == "start from the baseline"]
    assert plans == [("start from the baseline", "move one parameter")] * len(plans)
    assert len(plans) == sum(bool(lesson.steps) for lesson in history.all_lessons())
    assert {lesson.source for lesson in history.all_lessons() if lesson.kind == "insight"} <= {"model"}


def test_a_persona_is_switched_by_command_and_sits_there_in_the_next_cycle(tmp_path: Path, server: Server) -> None:
    path = write_campaign(tmp_path, until="score >= 9")
    home = ("--home", str(tmp_path / "home"))
    assert run(*words(path, "home", "ollama:llama3.2", "--cycles", "1"), **at(server))[0] == 7
    _, told, _ = run("agents", "--switch", "critical=creative", *home)
    assert told[-1]["switched"] == [{"seat": "critical", "before": "critical", "after": "creative"}]
    seats = {row["seat"]: row["persona"] for row in told[-1]["personas"]}
    assert (seats["critical"], seats["dissenter"]) == ("creative", "dissenter")
    assert {row["source"] for row in told[-1]["sources"]} == {"rules", "model"}
    assert run("agents", "--switch", "dissenter=creative", *home)[0] == 3
    assert run("agents", "--switch", "critical=nobody", *home)[0] == 3
    assert run(*words(path), **at(server))[0] == 7
    with Ledger(tmp_path / "home" / "ledger.db") as ledger:
        votes = History.load(ledger, "tiny-1").cycles[2].votes.values()
    by_voter = {v.vote.voter: v.vote.reason for told in votes for v in told}
    assert "in the part of creative" in by_voter["critical"]


def test_a_replay_needs_no_model_and_comes_to_the_same_history(tmp_path: Path, server: Server) -> None:
    path, recording = write_campaign(tmp_path), tmp_path / "answers.jsonl"
    assert run(*words(path, "home", "auto", "--record", str(recording)), **at(server))[0] == 0
    asked = len(server.calls)
    code, lines, _ = run(*words(path, "again", f"replay:{recording}"))
    assert code == 0
    assert len(server.calls) == asked
    assert lines[-1]["model"]["calls"] == asked
    assert comparable(tmp_path / "again") == comparable(tmp_path / "home")


def test_a_model_that_dies_in_the_middle_leaves_the_rules_and_an_honest_end(tmp_path: Path, server: Server) -> None:
    path = write_campaign(tmp_path, model={"use": "ollama:llama3.2", "retries": 0, "timeout_s": 20})
    server.die_after(6)
    code, lines, said = run("run", str(path), "--home", str(tmp_path / "home"), **at(server))
    result = lines[-1]
    assert code == 4
    assert result["status"] == "finished"
    assert result["model"]["died"]
    assert result["best"] is not None
    assert "the model gave out" in said
    with Ledger(tmp_path / "home" / "ledger.db") as ledger:
        history = History.load(ledger, "tiny-1")
    assert history.last_finished_cycle == 2
    last = history.cycles[2]
    assert last.direction is not None
    assert last.direction.source == "rules"
    assert "rules:" in last.direction.reason
    assert {p.proposal.source for p in last.proposals.values()} == {"rules"}
    told = Counter(bool(call.error) for call in history.model_calls)
    assert told[True] > 0


def test_killed_it_pays_no_answer_twice(tmp_path: Path, server: Server) -> None:
    path = write_campaign(tmp_path)
    whole = write_campaign(tmp_path / "whole")
    assert run(*words(whole), **at(server))[0] == 0
    server.calls.clear()
    process = start(*words(path), **at(server))
    seen = 0
    for event in events(process):
        seen += event["type"] == "ModelCalled"
        if seen == 12:
            kill(process)
            break
    paid = Counter(one.body["messages"][-1]["content"] for one in server.calls)
    code, _, _ = run("resume", "--home", str(tmp_path / "home"), **at(server))
    assert code == 0
    again = Counter(one.body["messages"][-1]["content"] for one in server.calls)
    # what was in flight at the kill may be asked once more; everything that was answered and stored is not
    assert sum(again.values()) - len(again) <= 5
    assert set(paid) <= set(again)
    assert comparable(tmp_path / "home")["cycles"].keys() == comparable(tmp_path / "whole" / "home")["cycles"].keys()
    keys = [call.key for call in calls(tmp_path / "home") if not call.error]
    assert len(keys) == len(set(keys))


def test_a_model_that_answers_nothing_of_use_is_told_of_and_no_success(tmp_path: Path) -> None:
    plan = {"use": "ollama:llama3.2", "repairs": 1}
    path = write_campaign(tmp_path, **SMALL, model=plan)
    with start_server(answer=lambda asked: "I cannot help with that.") as server:
        code, lines, said = run("run", str(path), "--home", str(tmp_path / "home"), **at(server))
        answered = len(server.calls)
    use = lines[-1]["model"]
    assert (code, use["useless"], use["died"], use["degraded"]) == (4, True, False, True)
    assert use["failed"] == use["questions"] == answered / 2
    assert "no answer of the model could be used" in said
    assert "holds no JSON object" in use["reason"]


def test_a_cap_on_tokens_is_kept_and_rules_go_on(tmp_path: Path, server: Server) -> None:
    path = write_campaign(tmp_path)
    code, lines, said = run(*words(path, "home", "ollama:llama3.2", "--budget-tokens", "9000"), **at(server))
    use = lines[-1]["model"]
    assert code == 7
    assert lines[-1]["status"] == "finished"
    assert use["capped"]
    assert 0 < use["input_tokens"] + use["output_tokens"] <= 9000
    assert "budget is spent" in said


@pytest.mark.parametrize(
    ("model", "code", "what"),
    [
        ("ollama:nope", 4, "has no model nope"),
        ("gpt4", 3, "names no model"),
        ("replay:nothing.jsonl", 3, "recording"),
        ("no_such_module:make", 3, "cannot import"),
    ],
)
def test_a_wrong_model_is_one_clear_error_before_any_job(
    tmp_path: Path, server: Server, model: str, code: int, what: str
) -> None:
    path = write_campaign(tmp_path)
    got, lines, _ = run(*words(path, "home", model), **at(server))
    assert got == code
    assert what in lines[-1]["error"]["what"]
    assert lines[-1]["error"]["try"]
    assert not (tmp_path / "runs.jsonl").exists()


def test_auto_without_an_ollama_is_the_council_of_rules(tmp_path: Path) -> None:
    path = write_campaign(tmp_path)
    dead = {"env": {"OLLAMA_HOST": "http://127.0.0.1:9"}}
    code, lines, _ = run(*words(path, "home", "auto"), **dead)
    assert code == 0
    assert lines[-1]["model"]["chosen"][0]["model"] == "none"
    assert run("run", str(path), "--home", str(tmp_path / "rules"))[0] == 0
    assert comparable(tmp_path / "home") == comparable(tmp_path / "rules")


def test_a_model_at_single_seats_is_asked_there_and_nowhere_else(tmp_path: Path, server: Server) -> None:
    """A seat's own (`auto` too), and one that a persona names in its file; the campaign itself has none."""
    council = {
        "voting": ["world_model", {"use": "persona", "persona": "thrifty"}],
        "supervisor": {"use": "reviewed", "model": "auto"},
        "historian": {"use": "chronicler", "model": "ollama:llama3.2"},
        "jobs_per_cycle": 2,
    }
    path = write_campaign(tmp_path, **SMALL, council=council)
    thrifty = {"name": "thrifty", "description": "You count what a trial costs.", "model": "ollama:llama3.2"}
    (tmp_path / "personas.yaml").write_text(json.dumps({"schema": 1, "personas": [thrifty]}))
    code, lines, _ = run("run", str(path), "--home", str(tmp_path / "home"), **at(server))
    result = lines[-1]
    assert (code, result["status"]) == (0, "finished")
    assert {(call.role, call.seat) for call in calls(tmp_path / "home")} == {
        ("supervisor", "reviewed"), ("historian", "reflective"), ("voter", "thrifty"),
    }  # fmt: skip
    assert result["model"]["models"] == ["ollama:llama3.2"]
    seats = {(one["vote"]["voter"], one["vote"]["source"]) for one in lines if one["type"] == "VoteCast"}
    assert seats == {("world_model", "rules"), ("thrifty", "model")}


@pytest.mark.parametrize(
    ("changes", "persona"),
    [
        ({"council": {"historian": {"use": "reflective", "model": "ollama:nobody"}}}, ""),
        ({"council": {"voting": [{"use": "persona", "persona": "thrifty"}]}}, "ollama:nobody"),
    ],
)
def test_a_seat_whose_model_is_not_there_is_told_before_any_job(
    tmp_path: Path, server: Server, changes: dict[str, Any], persona: str
) -> None:
    path = write_campaign(tmp_path, **SMALL, **changes)
    thrifty = {"name": "thrifty", "description": "You count what a trial costs.", "model": persona}
    (tmp_path / "personas.yaml").write_text(json.dumps({"schema": 1, "personas": [thrifty]}))
    code, lines, _ = run("run", str(path), "--home", str(tmp_path / "home"), **at(server))
    assert code == 4
    assert "no model nobody" in lines[-1]["error"]["what"]
    assert not (tmp_path / "runs.jsonl").exists()


def test_a_recording_that_cannot_be_written_is_told_before_any_job(tmp_path: Path, server: Server) -> None:
    path = write_campaign(tmp_path)
    code, lines, _ = run(*words(path, "home", "ollama:llama3.2", "--record", str(tmp_path)), **at(server))
    assert code == 4
    assert "cannot write the recording" in lines[-1]["error"]["what"]
    assert not (tmp_path / "runs.jsonl").exists()


def test_the_calls_behind_a_proposal_are_told_with_their_editions(tmp_path: Path, server: Server) -> None:
    path = write_campaign(tmp_path)
    _, lines, _ = run(*words(path), **at(server))
    ideas = [
        one["proposal"]["id"]
        for one in lines
        if one["type"] == "ProposalMade" and one["proposal"]["proposer"] == "idea"
    ]
    code, told, _ = run("why", ideas[0], "--home", str(tmp_path / "home"))
    assert code == 0
    by = {(call["role"], call["seat"]): call for call in told[-1]["models"]}
    assert by["proposer", "idea"]["prompt"] == "proposer/idea"
    assert len(by["proposer", "idea"]["edition"]) == 12
    assert ("voter", "dissenter") in by
    code, told, _ = run("status", "--home", str(tmp_path / "home"))
    assert json.loads(json.dumps(told[-1]))["model"]["roles"]["voter"]["calls"] > 0
