"""`undo`, `redo` and `rewind` at the command line, the operations behind them, and the document that shows them."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import ROOT, Cli, Finished

from core.errors import RatchetError
from core.settings import Settings
from service.operations.desk import Desk, local_asker, open_desk
from service.operations.performing import perform, taken_of
from service.operations.table import operation
from tests.graph.code_packages import FAST, SLOW, commit_all, told_campaign, write_package

pytestmark = pytest.mark.xdist_group("service")

DOCUMENT = (ROOT / "docs" / "time.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^    python run_graph\.py (\S+(?: \S+)*)", DOCUMENT, re.MULTILINE)


@pytest.fixture(scope="module", name="finished")
def _own(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A state folder of this module's own, whose forks are nobody else's."""
    home = tmp_path_factory.mktemp("own") / "home"
    shutil.copytree(finished.home, home)
    return Finished(home, finished.folder, finished.answer)


@pytest.fixture
def desk(finished: Finished) -> Iterator[Desk]:
    with open_desk(Settings(home=finished.home, embedding_model="hash"), local_asker()) as made:
        yield made


def ask(desk: Desk, what: str, /, **given: Any) -> dict[str, Any]:
    one = operation(what)
    return asyncio.run(perform(one, taken_of(one, given), desk)).model_dump(mode="json")


def test_the_commands_of_the_document_run(finished: Finished, cli: Cli) -> None:
    rewinds = [line for line in SHOWN if line.startswith(("rewind", "history"))]
    assert len(rewinds) == 7
    for line in rewinds:
        answer = cli(*shlex.split(line), home=finished.home)
        assert answer.code == 0, (line, answer.err)
    forks = {row["campaign"]: row["fork_of"] for row in cli("history", "--json", home=finished.home).json["campaigns"]}
    assert forks["tiny-1"] is None
    assert (forks["other-way"]["campaign"], forks["other-way"]["at"]) == ("tiny-1", "1")
    assert forks["other-way"]["edits"] == {"set": {"budget.cycles": 3}, "guidance": ["keep x below 0.5"]}
    shown = cli("show", "other-way", "--json", home=finished.home).json
    assert shown["fork_of"]["campaign"] == "tiny-1"
    assert shown["definition"]["budget"]["cycles"] == 3
    report = finished.home.parent / "fork.html"
    assert cli("report", "other-way", "--out", report, home=finished.home).code == 0
    assert "A fork of tiny-1 at 1" in report.read_text()


def test_a_preview_changes_nothing_and_says_what_would_be(finished: Finished, cli: Cli) -> None:
    before = cli("history", "--json", home=finished.home).json
    told = cli("rewind", "tiny-1", "2", "--what", "both", "--json", home=finished.home).json
    assert not told["changed"]
    assert (told["kept"]["cycles"], told["left"]["cycles"], told["left"]["verdict"]) == (2, 1, True)
    assert told["files"] == []
    assert cli("history", "--json", home=finished.home).json == before


def test_a_proposal_of_the_past_is_found_where_it_began(finished: Finished, cli: Cli) -> None:
    cli("rewind", "tiny-1", "1", "--fork", "found", home=finished.home)
    trials = cli("history", "found", "--json", home=finished.home).json["trials"]
    told = cli("why", trials[0]["proposal"], "--json", home=finished.home)
    assert told.code == 0, told.err
    assert told.json["campaign"] == "tiny-1"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("tiny-1", "9"), 3, "no point 9"),
        (("tiny-1", "2/nobody"), 2, "nobody"),
        (("tiny-1", "2", "3"), 2, "not understood"),
        (("tiny-1", "--yes"), 2, "no point is named"),
        (("tiny-1", "2", "--guide", "x"), 2, "--fork"),
        (("tiny-1", "2", "--what", "code", "--fork"), 2, "a fork is of the state"),
        (("tiny-1", "2", "--fork", "--set", "objective.metric=loss"), 2, "only budgets"),
        (("tiny-9", "2"), 3, "tiny-9"),
    ],
)
def test_what_is_wrong_is_said(finished: Finished, cli: Cli, words: tuple[str, ...], code: int, said: str) -> None:
    answer = cli("rewind", *words, home=finished.home)
    assert answer.code == code, answer.err
    assert said in answer.err


def test_rulings_are_edited_in_the_editor(
    finished: Finished, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text("#!/bin/sh\nsed -i 's/decision: accept/decision: reject/' \"$1\"\n")
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    answer = cli("rewind", "tiny-1", "2/executor", "--edit", "--fork", "edited", "--json", home=finished.home)
    assert (answer.code, answer.json["campaign"]) == (0, "edited"), answer.err
    monkeypatch.setenv("VISUAL", "true")
    unchanged = cli("rewind", "tiny-1", "2/executor", "--edit", home=finished.home)
    assert unchanged.code == 2
    assert "nothing was changed" in unchanged.err


def test_operations_list_points_and_make_forks(finished: Finished, desk: Desk) -> None:
    told = ask(desk, "campaigns.checkpoints", campaign="tiny-1")
    voter = next(one for one in told["points"] if one["point"] == "2/voter")
    made = ask(desk, "campaigns.fork", campaign="tiny-1", at=voter["checkpoint"], name="by-table", guidance=["try b"])
    assert (made["parent"], made["at"], made["cycles"]) == ("tiny-1", "2/voter", 1)
    assert ask(desk, "campaigns.status", campaign="by-table")["fork_of"]["at"] == "2/voter"
    assert "by-table" in ask(desk, "campaigns.checkpoints", campaign="tiny-1")["forks"]
    with pytest.raises(RatchetError, match="already"):
        ask(desk, "campaigns.fork", campaign="tiny-1", at="2", name="by-table")
    with pytest.raises(RatchetError, match="at"):
        ask(desk, "campaigns.fork", campaign="tiny-1", at="../../etc")


def test_a_delivery_is_undone_and_redone(tmp_path: Path, cli: Cli) -> None:
    campaign = write_package(tmp_path / "repo")
    commit_all(tmp_path / "repo")
    told = told_campaign(tmp_path / "home", campaign)
    core = told.folder / "sums" / "core.py"
    assert cli("undo", home=told.home).code == 3
    assert cli("deliver", "--apply", home=told.home).code == 0
    assert core.read_text() == FAST
    (listed,) = cli("undo", "--list", "--json", home=told.home).json["changes"]
    assert (listed["state"], listed["files"]) == ("done", ["sums/core.py"])
    preview = cli("rewind", told.id, "1", "--what", "code", "--json", home=told.home).json
    assert [one["files"] for one in preview["files"]] == [[str(core)]]
    core.write_text("mine")
    refused = cli("undo", home=told.home)
    assert (refused.code, core.read_text()) == (1, "mine")
    assert str(core) in refused.err
    core.write_text(FAST)
    assert cli("undo", home=told.home).code == 0
    assert core.read_text() == SLOW
    assert cli("redo", home=told.home).code == 0
    assert core.read_text() == FAST
    assert cli("rewind", told.id, "1", "--what", "code", "--yes", home=told.home).code == 0
    assert core.read_text() == SLOW
    assert cli("deliver", "--apply", home=told.home).code == 0  # asked for anew, it is made anew
    assert core.read_text() == FAST
    entries = cli("audit", "--action", "CODE_APPLY", "--json", home=told.home).json["entries"]
    assert len(entries) == 6
    assert {entry["route"] for entry in entries} == {"cli"}


def test_comments_are_undone(tmp_path: Path, cli: Cli) -> None:
    home, text = tmp_path / "home", "def area(r):\n    if r > 2:\n        return 3\n    return 3.14 * r * r\n"
    files = [tmp_path / "one.py", tmp_path / "two.py"]
    for file in files:
        file.write_text(text)
    assert cli("feedback", *files, "--write", home=home).code == 0
    written = [file.read_text() for file in files]
    assert text not in written
    answer = cli("undo", home=home)
    assert answer.code == 0, answer.err
    assert [file.read_text() for file in files] == [text, text]
    assert cli("redo", home=home).code == 0
    assert [file.read_text() for file in files] == written


def test_a_fork_is_resumed_with_its_own_settings_and_no_new_job(
    finished: Finished, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("rewind", "tiny-1", "2", "--fork", "resumed", home=finished.home).code == 0
    ran = (finished.folder / "ran.log").read_text()
    monkeypatch.setenv("RATCHET_MODEL", "ollama:not-there")  # for campaigns that begin; this one has begun
    answer = cli("resume", "resumed", "--json", home=finished.home)
    assert answer.code == 0, answer.err
    told, parent = answer.json, finished.result
    assert told["model"] is None
    assert told["best"]["config"] == parent["best"]["config"]
    assert told["best"]["interval"] == parent["best"]["interval"]
    assert told["control"] == parent["control"]
    assert (finished.folder / "ran.log").read_text() == ran
