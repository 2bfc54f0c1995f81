"""The session in a pseudo-terminal: usable while a cycle runs, stopped in every way, and left in every way."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import DEADLINE_S
from session_terminal import Terminal
from test_approvals_command import Place

from core.events import CampaignInterrupted, GuidanceGiven, JobStarted
from memory.approvals import Approvals
from memory.guidance import GuidanceBook
from memory.ledger import Ledger

pytestmark = [pytest.mark.xdist_group("service")]

Open = Callable[..., Terminal]


def alive(folder: Path) -> list[int]:
    """The processes of the folder's script that live."""
    found = []
    for path in folder.glob("pid-*"):
        try:
            state = Path(f"/proc/{path.read_text()}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.append(int(path.read_text()))
    return found


def until(holds: Callable[[], object]) -> None:
    """Wait for what another process is about to do."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def working(home: Path, folder: Path) -> bool:
    """Whether a proposal's job runs: with `slow` it would for minutes."""
    if not (home / "ledger.db").exists():
        return False
    with Ledger(home / "ledger.db") as ledger:
        told = [event for event in ledger.events("tiny-1", types=(JobStarted,)) if isinstance(event, JobStarted)]
    return any(event.purpose == "proposal" for event in told) and bool(alive(folder))


def width(text: str) -> int:
    return max(map(len, text.split("\n")))


@pytest.mark.slow
def test_a_cycle_is_run_guided_and_looked_at(terminal: Open, tiny: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    t = terminal(home=home)
    t.see("no campaign yet")
    t.see("nothing runs")
    t.type("prefer kind b")
    t.see("kept for the campaign that is run next: prefer kind b")
    t.type(f"/run {tiny} 1")
    t.see("g1 queued for tiny-1")
    t.type("keep x below 0.5")
    t.see("g2 queued for tiny-1")
    t.see("proposers")
    t.see("so far")
    t.see("report: ")
    block = t.plain[t.plain.index(" 1  accuracy") :]
    for label in ("director", "proposers", "vote", "supervisor", "executor", "guidance", "so far"):
        assert f"\n    {label}" in block, label
    assert "█" in block
    assert "won" in block
    assert width(block[: block.index("so far")]) < 100
    t.type("why d1")
    t.see("voter")
    t.type("logs j1")
    t.see(r"a line \x1b]0;title\x07 of talk")  # what a job prints does not become the terminal's title
    t.send("sta\t")
    t.see("status")
    t.send("\r")
    t.see("cycle     1 of 1")
    t.ready()
    t.send("half a sentence")
    t.send("\x03")
    t.type("staus")
    t.see("there is no command 'staus'")
    t.resize(60)
    t.ready()
    t.type("trend")
    t.see("first")
    t.ready()  # what was on its way in the old width has come by now
    wide = len(t.plain)
    t.type("trend")
    t.see("first")
    t.type("best")
    t.see("config")
    assert width(t.plain[wide:]) <= 60
    t.ready()
    t.send("\x04")
    assert t.ended() == 2  # of `staus`, the last that failed
    assert "half" not in "".join(line for line in t.plain.split("\n") if "queued" in line)
    assert (home / "session_history").stat().st_mode & 0o777 == 0o600
    assert "Traceback" not in t.seen
    assert not re.search(r"\x1b\]0;title", t.seen)
    with Ledger(home / "ledger.db") as ledger:
        given = [e.guidance for e in ledger.events("tiny-1", types=(GuidanceGiven,)) if isinstance(e, GuidanceGiven)]
        assert [(one.text, one.door) for one in given] == [
            ("prefer kind b", "session"),
            ("keep x below 0.5", "session"),
        ]
        assert GuidanceBook(ledger).receipts("tiny-1")[1].status == "used"


@pytest.mark.slow
def test_ctrl_c_stops_after_the_stage_then_now_and_a_closed_terminal_ends_it(
    terminal: Open, tiny: Path, tmp_path: Path
) -> None:
    (tiny / "slow").touch()
    home = tmp_path / "home"
    t = terminal(home=home, NO_COLOR="1")
    t.see("nothing runs")
    t.type(f"run {tiny}")
    until(lambda: working(home, tiny))
    t.send("\x03")
    t.see("stopping after this stage; Ctrl-C again stops now")
    t.type("status")
    t.see("running, process")
    assert alive(tiny)
    t.ready()
    t.send("\x03")
    t.see("stopping now")
    t.see("go on with: ")
    until(lambda: not alive(tiny))
    t.type("run")
    until(lambda: working(home, tiny))
    t.hang_up()
    assert t.ended() == 129
    assert not alive(tiny)
    with Ledger(home / "ledger.db") as ledger:
        assert ledger.campaign("tiny-1").status == "interrupted"
        ends = ledger.events("tiny-1", types=(CampaignInterrupted,))
        assert [e.reason for e in ends if isinstance(e, CampaignInterrupted)] == ["Ctrl-C", "stopped by a signal"]
    assert not re.search(r"\x1b\[[\d;]*3[0-7][\d;]*m", t.seen)  # no colour


@pytest.mark.slow
def test_questions_stand_there_and_enter_alone_says_yes_at_low_risk_only(terminal: Open, tmp_path: Path) -> None:
    place = Place.make(tmp_path)
    t = terminal(home=place.home)
    t.see("nothing runs")
    t.type("mode human")
    t.see("approvals: human")
    t.type(f"run {place.folder}")
    t.see("low risk (0.20)")
    t.see("silence")
    t.see("a [campaign|project]")
    t.type("")
    t.see(": yes")
    t.see("medium risk (0.50)")
    t.see("a [campaign|project]")
    t.type("")
    t.see("an empty line says nothing")
    t.type("e x=2")
    t.see("error")
    with Ledger(place.home / "ledger.db") as ledger:
        waiting = Approvals(ledger).waiting("asked-1")
    answered = terminal("edit", waiting[0].id, "--set", "x=0.4", home=place.home)
    assert answered.ended() == 0
    t.see("was answered elsewhere: edit by")
    t.see("high risk (0.80)")
    t.see("a [campaign|project]")
    t.signal(signal.SIGTERM)
    assert t.ended() == 143
    assert "resume asked-1" in t.plain.rstrip().split("\n")[-1]
    with Ledger(place.home / "ledger.db") as ledger:
        assert [one.id for one in Approvals(ledger).waiting("asked-1")] == [waiting[1].id]


@pytest.mark.slow
def test_without_unicode_the_bar_is_ascii_too(terminal: Open, tmp_path: Path) -> None:
    t = terminal(home=tmp_path / "home", columns=60, LANG="C", LC_ALL="C")
    t.see("nothing runs  run [n] - help - Ctrl-D leaves")
    t.send("\x04")
    assert t.ended() == 0
    assert t.plain.isascii()


@pytest.mark.slow
def test_nothing_typed_at_the_prompt_crashes_it(terminal: Open, tmp_path: Path) -> None:
    import random

    rng = random.Random(20261130)
    t = terminal(home=tmp_path / "home", columns=60)
    t.see("nothing runs")
    keys = [chr(n) for n in range(1, 256) if n not in (4, 10, 13)]
    keys += [
        "\x1b[A",
        "\x1b[B",
        "\x1b[200~pasted\nquit it not\x1b[201~",
        "\u202e",
        "💥",
        "\t",
        "\x1b\x1b",
        "\ud7ff",
        "界" * 50,
    ]
    for _ in range(12):
        t.send("".join(rng.choices(keys, k=40)))
        t.send("\x07\x03\x03")
    t.send("x" * 5000 + "\x03")
    t.send("\x1b\x03\x03")
    t.type("help best")
    t.see("the best so far, with its configuration")
    t.ready()
    t.send("\x04")
    t.ended()
    assert "Traceback" not in t.seen
    assert "internal error" not in t.seen
