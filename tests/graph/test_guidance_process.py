"""Guidance said to a campaign that another process runs: delivered, used, kept through kill -9, and told by `why`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_campaign import account, events, kill, start, write_campaign

from core.guidance import GuidanceReceipt
from memory.guidance import GuidanceBook
from memory.history import History
from memory.ledger import Ledger
from service.cli import main

QUICK: dict[str, Any] = {
    "budget": {"cycles": 2},
    "noise": {"repeats": 1, "verdict_pairs": 0, "confirmations": 0},
    "control": [],
    "council": {"jobs_per_cycle": 2, "proposers": ["bayes", "quasi_random", "recombine"]},
}
SENTENCES = ("keep x below 0.4", "try kind b first", "make it shiny")


def say(home: Path, text: str) -> None:
    with Ledger(home / "ledger.db") as ledger:
        GuidanceBook(ledger).give("tiny-1", text, author="ada", door="cli")


def guided_run(folder: Path, *kill_at: str) -> History:
    """A run that is told all sentences before its first cycle; killed at each of `kill_at`, and gone on with."""
    home = folder / "home"
    process = start("run", str(write_campaign(folder, **QUICK)), "--seed", "5", "--home", str(home))
    stream = events(process)
    assert any(event["type"] == "CampaignStarted" for event in stream)
    for text in SENTENCES:
        say(home, text)
    for boundary in kill_at:
        assert any(event["type"] == boundary for event in stream), f"there was no {boundary}"
        kill(process)
        process = start("resume", "tiny-1", "--home", str(home))
        stream = events(process)
    told = list(stream)
    process.communicate()
    assert process.returncode == 0, told[-1]
    with Ledger(home / "ledger.db") as ledger:
        return History.load(ledger, "tiny-1")


def receipts(home: Path) -> list[GuidanceReceipt]:
    with Ledger(home / "ledger.db") as ledger:
        return GuidanceBook(ledger).receipts("tiny-1")


@pytest.fixture(scope="module")
def guided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, History]:
    folder = tmp_path_factory.mktemp("guided")
    return folder, guided_run(folder)


def test_no_proposal_is_outside_a_bound_and_what_is_wanted_first_runs_first(guided: tuple[Path, History]) -> None:
    folder, history = guided
    proposals = [made.proposal for cycle in history.cycles.values() for made in cycle.proposals.values()]
    assert len(proposals) > 4
    assert all(proposal.config["x"] < 0.4 for proposal in proposals)
    first = [e.proposal for e in history.cycles[1].experiments() if e.config["kind"] == "b"]
    assert [p.proposer for p in first if "g2" in p.guidance] == ["guidance"]
    assert {
        cycle.rulings[p.id].ruling.rule for cycle in history.cycles.values() for p in first if p.id in cycle.rulings
    } >= {"guidance"}
    bound, wish, shiny = receipts(folder / "home")
    assert (bound.status, bound.node, bound.cycle) == ("used", "director", 1)
    changed = [change for change in bound.changes if change.name == "x"]
    assert changed
    assert all(change.after < 0.4 for change in changed)
    assert {change.proposal_id for change in changed} <= set(bound.proposals)
    assert wish.status == "used"
    assert wish.payoff is not None
    assert wish.payoff.cited >= 1
    assert shiny.status == "unused"
    assert "shiny" in shiny.notes[0]


KILLED = [("GuidanceUsed",), pytest.param(("GuidanceDelivered", "ProposalMade", "VoteCast"), marks=pytest.mark.slow)]


@pytest.mark.parametrize("boundaries", KILLED, ids="-".join)
def test_killed_and_gone_on_with_it_ends_the_same(
    guided: tuple[Path, History], tmp_path: Path, boundaries: tuple[str, ...]
) -> None:
    guided_run(tmp_path, *boundaries)
    ended, expected = account(tmp_path / "home"), account(guided[0] / "home")
    for part, value in expected.items():
        assert ended[part] == value, part

    def told(home: Path) -> list[dict[str, Any]]:
        return [one.model_dump(exclude={"guidance": {"given_at"}}) for one in receipts(home)]

    assert told(tmp_path / "home") == told(guided[0] / "home")


def command(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main([*words, "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_commands_say_what_came_of_it(guided: tuple[Path, History], capsys: pytest.CaptureFixture[str]) -> None:
    folder = guided[0]
    home = ("--home", str(folder / "home"))
    told = command(capsys, "guidance", "tiny-1", *home)
    assert [one["status"] for one in told["guidance"]] == ["used", "used", "unused"]
    changed = receipts(folder / "home")[0].changes[0]
    told = command(capsys, "why", changed.proposal_id, *home)
    assert any(one["id"] == "g1" and changed.what in one["changed"] for one in told["guidance"])
    assert main(["why", changed.proposal_id, *home]) == 0
    shown = capsys.readouterr().out
    assert "g1  keep x below 0.4" in shown
    assert "that cite it" in shown
    assert main(["guidance", *home]) == 0
    assert "'make it shiny'" in capsys.readouterr().out


def test_sentences_by_command(guided: tuple[Path, History], capsys: pytest.CaptureFixture[str]) -> None:
    folder = guided[0]
    home = ("--home", str(folder / "home"))
    told = command(capsys, "steer", "tiny-1", "avoid", "kind", "a", *home)
    assert (told["guidance"], told["status"], told["from"]) == ("g4", "queued", "the next node")
    assert told["understood"] == ["no kind a"]
    told = command(capsys, "guide", "keep y under 0.5 and dance", *home)
    assert told["understood"] == ["y below 0.5"]
    assert [one["clause"] for one in told["not_understood"]] == ["dance"]
    command(capsys, "guidance", "drop", "g4", "tiny-1", *home)
    assert [one.status for one in receipts(folder / "home")[3:]] == ["dropped", "queued"]
    for words, code in (
        (("guide", "tiny-1", ""), 2),
        (("guide", "tiny-1"), 2),
        (("steer", "nope-1", "avoid a"), 3),
        (("guidance", "drop", "g9"), 3),
        (("guidance", "drop"), 2),
    ):
        assert main([*words, *home, "--json"]) == code
        assert "error" in json.loads(capsys.readouterr().out)
