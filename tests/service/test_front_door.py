"""What holds for every command: one JSON object, exit codes, three-line errors, a light `--help`, quiet pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import CAMPAIGN, DEADLINE_S, ROOT, Cli, Finished, environment, write_campaign

from service.words.commands import COMMANDS

pytestmark = pytest.mark.xdist_group("service")

HEAVY = {
    "numpy",
    "scipy",
    "sqlalchemy",
    "langgraph",
    "langchain_core",
    "pydantic",
    "yaml",
    "jinja2",
    "asyncio",
    "rich",
    "prompt_toolkit",
}


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["nonsense"]])
def test_help_and_usage_errors_import_nothing_heavy(words: list[str]) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from service.cli import main; main({words!r}); "
        f"print('loaded:', sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_every_command_has_help(cli: Cli) -> None:
    for command in COMMANDS:
        answer = cli(command, "--help")
        assert answer.code == 0
        assert f"run_graph.py {command}" in answer.out


def test_json_is_exactly_one_object_on_every_path(finished: Finished, cli: Cli, tmp_path: Path) -> None:
    proposal = finished.result["best"]["proposal"]
    paths: list[tuple[list[object], int]] = [
        ([], 0),
        (["--help"], 0),
        (["why", "--help"], 0),
        (["frobnicate"], 2),
        (["run"], 2),
        (["status", "--bogus"], 2),
        (["run", finished.folder, "--set", "nonsense"], 2),
        (["run", finished.folder, "--cycles", "many"], 2),
        (["memory"], 2),
        (["memory", "search", "x", "-k", "0"], 2),
        (["run", tmp_path / "nowhere.yaml"], 3),
        (["run", finished.folder, "--set", "spce.x=1"], 3),
        (["resume", "nobody-1"], 3),
        (["resume"], 3),
        (["run", finished.folder, "--dry-run"], 0),
        (["status"], 0),
        (["history"], 0),
        (["history", "tiny-1"], 0),
        (["show", "tiny-1"], 0),
        (["show", proposal], 0),
        (["why", proposal], 0),
        (["jobs"], 0),
        (["logs", proposal], 0),
        (["memory", "search", "x"], 0),
        (["report", "--out", tmp_path / "report.html"], 0),
        (["report", "--out", "/proc/no/report.html"], 4),
        (["init", tmp_path / "new"], 0),
        (["init", tmp_path / "new"], 3),
        (["doctor"], 0),
    ]
    for words, code in paths:
        answer = cli("--json", *words, home=finished.home)
        assert answer.code == code, (words, answer)
        told = answer.json
        assert isinstance(told, dict), words
        assert ("error" in told) == (code != 0), words
        if code:
            assert told["error"]["exit_code"] == code
        assert not answer.err, words


def test_the_stream_begins_with_start_and_ends_with_result(finished: Finished, cli: Cli) -> None:
    for words in (["history"], ["doctor"], ["nonsense"], ["show", "p-zzz"]):
        answer = cli("--json-stream", *words, home=finished.home)
        lines = [json.loads(line) for line in answer.out.splitlines()]
        assert lines[0]["type"] == "start"
        assert lines[-1]["type"] == "result"
        assert [line["type"] for line in lines].count("result") == 1


def test_errors_are_three_lines_that_help(finished: Finished, cli: Cli, tmp_path: Path) -> None:
    typo = write_campaign(tmp_path / "typo", CAMPAIGN.replace("objective:", "objectiv:"))
    gone = write_campaign(tmp_path / "gone")
    (gone / "train.py").unlink()
    cases = [
        (["rnu"], 2, "did you mean 'run'?"),
        (["status", "--jsn"], 2, "did you mean '--json'?"),
        (["run", typo], 3, "did you mean 'objective'?"),
        (["run", gone], 3, "train.py"),
        (["run", finished.folder, "--until", "auc=>1"], 3, "auc>=0.99"),
        (["status", "--set", "embeding_model=hash"], 3, "did you mean 'embedding_model'?"),
    ]
    for words, code, hint in cases:
        answer = cli(*words, home=finished.home)
        lines = answer.err.splitlines()
        assert answer.code == code, answer
        assert lines[0].startswith("error  ")
        assert 2 <= len(lines) <= 3
        assert hint in answer.err
        assert answer.out == ""


def test_no_command_shows_the_help(cli: Cli) -> None:
    answer = cli()
    assert answer.code == 0
    assert "COMMAND" in answer.out


def test_a_reader_that_goes_away_is_no_error(finished: Finished) -> None:
    command = f"'{sys.executable}' '{ROOT}/run_graph.py' show tiny-1 --home '{finished.home}' 2>&1 | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.stdout == "kind: campaign\n"
    assert done.stderr == ""
    assert done.returncode == 0
