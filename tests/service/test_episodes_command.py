"""`episodes`: runs, the episodes of one with its sums, one whole; damaged files; made again from the ledger."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_line import Cli, Finished

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture
def home(finished: Finished, tmp_path: Path) -> Path:
    """A copy whose episodes may be spoilt."""
    shutil.copytree(finished.home, tmp_path / "home")
    return tmp_path / "home"


def test_runs_then_a_run_then_an_episode(finished: Finished, cli: Cli) -> None:
    home = finished.home
    (row,) = cli("episodes", "--json", home=home).json["runs"]
    assert (row["run_id"], row["total_episodes"], row["completed"]) == ("tiny-1", 3, 3)
    trials = cli("history", "tiny-1", "--json", home=home).json["trials"]
    assert row["total_changes_accepted"] == len(trials)

    told = cli("episodes", "tiny", "--json", home=home).json
    assert told["summary"] == row
    assert [e["episode_id"] for e in told["episodes"]] == [f"tiny-1_ep000{n}" for n in (1, 2, 3)]
    assert sum(e["metrics"]["changes_proposed"] for e in told["episodes"]) == row["total_changes_proposed"]
    text = cli("episodes", "tiny-1", home=home).out
    assert all(e["episode_id"] in text for e in told["episodes"])
    assert "3 completed" in text

    for words in (("tiny-1", 2), ("tiny-1", "tiny-1_ep0002"), ("tiny-1_ep0002",)):
        episode = cli("episodes", *words, "--json", home=home).json
        assert (episode["episode_id"], episode["status"]) == ("tiny-1_ep0002", "completed")
        assert len(episode["actions"]) == told["episodes"][1]["actions"]
    whole = cli("episodes", "tiny-1", 2, home=home)
    assert "status: completed" in whole.out
    assert "\x1b" not in whole.out


def test_without_any_run_that_is_said(cli: Cli, tmp_path: Path) -> None:
    assert "no episode was kept yet" in cli("episodes", home=tmp_path / "home").out
    assert cli("episodes", "--json", home=tmp_path / "home").json["runs"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nobody"], 3),
        (["../../etc"], 3),
        (["tiny-1", "9"], 3),
        (["tiny-1", "../x"], 3),
        (["tiny-1", "other-1_ep0001"], 3),
        (["tiny-1", "1", "--rebuild"], 2),
        (["nobody", "--rebuild"], 3),
    ],
)
def test_what_is_not_there_is_one_clear_error(finished: Finished, cli: Cli, words: list[str], code: int) -> None:
    answer = cli("episodes", *words, home=finished.home)
    assert answer.code == code
    assert [line[:5].strip() for line in answer.err.splitlines()] == ["error", "where", "try"]


def test_a_damaged_file_is_named_counted_and_made_again(home: Path, cli: Cli) -> None:
    before = cli("episodes", "tiny-1", "--json", home=home).json
    (home / "training" / "episodes" / "tiny-1_ep0002.json").write_text("no episode")
    answer = cli("episodes", "tiny-1", home=home)
    assert answer.code == 0
    assert "1 damaged, left out" in answer.err
    assert "tiny-1_ep0002.json" in answer.err
    told = cli("episodes", "tiny-1", "--json", home=home).json
    assert (told["summary"]["total_episodes"], told["summary"]["damaged"]) == (2, 1)
    assert [one["episode_id"] for one in told["damaged"]] == ["tiny-1_ep0002"]
    assert cli("episodes", "tiny-1", 2, home=home).code == 4
    assert cli("episodes", "tiny-1", "--rebuild", "--json", home=home).json == before


def test_they_lie_where_the_variable_says(
    finished: Finished, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPISODES_DIR", str(tmp_path / "elsewhere"))
    assert cli("episodes", "--json", home=finished.home).json["runs"] == []
    made = cli("episodes", "tiny-1", "--rebuild", "--json", home=finished.home).json
    assert len(made["episodes"]) == 3
    assert len(list((tmp_path / "elsewhere").glob("*.json"))) == 3
