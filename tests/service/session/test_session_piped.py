"""The session without a terminal: commands from a pipe, as text and as JSON, in ASCII, to its end or before."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import DEADLINE_S, ROOT, Answer, Finished, environment
from test_approvals_command import Place

from memory.approvals import Approvals
from memory.guidance import GuidanceBook
from memory.ledger import Ledger
from service.cli import main

pytestmark = pytest.mark.xdist_group("service")

Say = Callable[..., Answer]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """Pipes lines into a session in this process, in an empty folder."""
    monkeypatch.setenv("RATCHET_EMBEDDING_MODEL", "hash")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path)

    def piped(*lines: str, home: Path, words: tuple[str, ...] = ()) -> Answer:
        script = tmp_path / "lines"
        script.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
        capsys.readouterr()
        with script.open() as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            code = main(["--interactive", "--home", str(home), *words])
        read = capsys.readouterr()
        return Answer(code, read.out, read.err)

    return piped


def test_a_pipe_says_what_a_person_would(say: Say, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    (tmp_path / "x.py").write_text("def f(a):\n    return a + 1\n")
    answer = say(
        "# a comment",
        "",
        "avoid kind a",
        f"run {tiny} 1",
        "run",  # it runs already
        "wait",
        "best",
        "trend accuracy",
        "compare",
        "compare d1 d2",
        "history",
        "why d1",
        "logs j1",
        "guidance",
        "drop g1",
        "inbox",
        "approvals",
        "mode confirm",
        "set limits.time_s 60",
        "set model=none",
        "model none",
        "agents",
        "memory kind b",
        "feedback x.py 1",
        "save r.html",
        "help",
        "/open tiny-1",
        "quit",
        "this is never read",
        home=tmp_path / "home",
    )
    assert answer.code == 4, answer.err  # busy: the second `run`, the last that failed
    assert "tiny-1 is running" in answer.err
    assert answer.err.count("error  ") == 1
    assert (answer.out + answer.err).isascii()
    assert "kept for the campaign that is run next: avoid kind a" in answer.err
    assert "guidance   g1 delivered" in answer.err
    assert "\n    vote        d" in answer.err
    assert "##" in answer.err
    assert "against the baseline" in answer.out
    assert "g1 of tiny-1 is dropped" in answer.out
    assert (tmp_path / "r.html").exists()
    assert "never read" not in answer.out + answer.err


def test_a_question_is_answered_with_a_reason_and_a_person_who_says_i_is_heard(say: Say, tmp_path: Path) -> None:
    place = Place.make(tmp_path)
    answer = say("mode human", f"run {place.folder}", "wait", home=place.home)
    assert answer.code == 5, answer.err
    with Ledger(place.home / "ledger.db") as ledger:
        first, second = (one.id for one in Approvals(ledger).waiting("asked-1")[:2])
    answer = say("I think x is too high", f"i {first} too -- slow", f"ignore {second} --shown x", home=place.home)
    assert answer.code == 0, answer.err
    with Ledger(place.home / "ledger.db") as ledger:
        told = [Approvals(ledger).get(one).answer for one in (first, second)]
        assert [one and (one.kind, one.text) for one in told] == [("ignore", "too -- slow"), ("ignore", "--shown x")]
        (heard,) = GuidanceBook(ledger).receipts("asked-1")
        assert heard.guidance.text == "I think x is too high"


def test_a_fork_that_is_made_is_the_open_campaign(say: Say, tiny: Path, tmp_path: Path) -> None:
    home = tmp_path / "a home"
    say(f"run {tiny} 1", "wait", home=home)
    answer = say("rewind tiny-1 1", "undo that", "rewind tiny-1 0 --fork aside", "status", home=home)
    assert answer.code == 2  # of `undo that`
    assert "guide undo that" in answer.err
    command = f"python run_graph.py --home '{home}'"
    assert f"{command} rewind tiny-1 1 --fork" in answer.out
    assert f"{command} resume aside" in answer.out
    assert "fork of   " in answer.out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("drop kind a", "guide drop kind a"),
        ("set layers 3", "there is no setting 'layers'"),
        ("set bugdet.cycles 3", "did you mean 'budget'"),
        ("model B", "'B' names no model"),
        ("why is it so slow", "guide why is it so slow"),
        ("save the model", "save report.html"),
    ],
)
def test_a_sentence_that_begins_as_a_command_does_nothing_else(
    say: Say, finished: Finished, line: str, told: str
) -> None:
    answer = say(line, home=finished.home)
    assert answer.code in (2, 3)
    assert told in answer.err


def test_the_end_of_input_stops_what_runs_and_says_how_to_go_on(say: Say, tiny: Path, tmp_path: Path) -> None:
    answer = say(f"run {tiny}", home=tmp_path / "home")
    assert answer.code == 130
    assert "resume tiny-1" in answer.err.rstrip().split("\n")[-1]
    with Ledger(tmp_path / "home" / "ledger.db") as ledger:
        assert ledger.campaign("tiny-1").status == "interrupted"


def test_json_is_lines_or_one_object(say: Say, finished: Finished) -> None:
    lines = ("status", "staus", "best", "trend nothing")
    stream = say(*lines, home=finished.home, words=("--json-stream",))
    told = [json.loads(line) for line in stream.out.splitlines()]
    assert [one["type"] for one in told] == ["start", "answer", "answer", "answer", "answer", "result"]
    assert told[1]["campaign"] == "tiny-1"
    assert told[2]["error"]["exit_code"] == 2
    assert told[3]["best"]["proposal"] == finished.result["best"]["proposal"]
    assert told[4]["error"]["exit_code"] == stream.code == told[5]["exit_code"] == 3
    one = say(*lines, home=finished.home, words=("--json",)).json
    assert [answer["command"] for answer in one["answers"]] == ["status", "status", "best", "trend"]


def test_lines_of_any_bytes_are_errors_or_guidance_and_lose_nothing(say: Say, tmp_path: Path) -> None:
    odd = "\udcff\udcfe \x00\x1b[2J\u202egnp.exe"
    answer = say(odd, "x" * 1_200_000, 'why "unclosed', "run 99999999999", "/", home=tmp_path / "home")
    assert answer.code == 2
    assert "\x1b" not in answer.out + answer.err
    assert "\u202e" not in answer.out + answer.err
    assert "internal" not in answer.err
    assert "this was said to nobody: " in answer.err


def test_without_a_terminal_and_unasked_it_is_the_help(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_graph.py")],
        input="status\n",
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert done.stdout.startswith("usage: python run_graph.py")
    assert "--interactive" in done.stdout


def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run_graph.py"), "--interactive", "--home", str(tmp_path / "home")],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write("help\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith("command")
        process.stdout.close()
        process.stdin.write("help\n" * 3)
        process.stdin.flush()  # and it stays open: a person who may go on typing
        assert process.wait(timeout=DEADLINE_S) == 141
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()
