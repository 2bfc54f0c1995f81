"""`run` and `resume` as real processes: stopping, going on, a second process, and baselines that give nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import DEADLINE_S, ROOT, SCRIPT, Cli, Finished, Running, call_process, environment

from core.process import ProcessIdentity, identify

Start = Callable[..., Running]


def wait_for_event(running: Running, kind: str, **fields: object) -> dict[str, object]:
    """The next event of that type in the stream, with these fields."""
    while True:
        event: dict[str, object] = json.loads(running.wait_for("out", f'"type": "{kind}"'))
        if all(event.get(name) == value for name, value in fields.items()):
            return event


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


@pytest.mark.xdist_group("service")
def test_the_result_holds_what_a_caller_needs(finished: Finished) -> None:
    assert finished.answer.code == 0
    told = finished.result
    assert (told["campaign"], told["status"], told["resume"]) == ("tiny-1", "finished", None)
    assert [c["cycle"] for c in told["cycles"]] == [1, 2, 3]
    for cycle in told["cycles"]:
        assert set(cycle["stages"]) >= {"director", "proposer", "voter", "tally", "supervisor", "executor", "historian"}
        assert cycle["metrics"]["total_proposals"] >= cycle["metrics"]["approved_proposals"] >= 1
    best = told["best"]
    assert best["interval"]["answer"] == "better"
    assert best["interval"]["low"] > 0
    assert best["metrics"]["accuracy"] > told["baseline"]["metrics"]["accuracy"]
    assert told["control"]["random"]["jobs"] == 9
    assert Path(told["report"]).exists()


def test_interrupted_once_it_goes_on_where_it_was(start: Start, tiny: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    running = start("run", tiny, home=home)
    running.wait_for("err", " 1 job ")
    running.send(signal.SIGINT)
    stopped = running.wait()
    assert stopped.code == 130
    assert stopped.err.splitlines()[-1] == f"go on with: python run_graph.py --home {home} resume tiny-1"
    assert "Traceback" not in stopped.err
    went_on = call_process("resume", "--json", home=home)
    assert went_on.code == 0
    assert went_on.json["status"] == "finished"
    ran = Counter((tiny / "ran.log").read_text().split())
    assert set(ran.values()) == {1}, "a job ran twice"
    assert sum(went_on.json["jobs"].values()) == len(ran)


def test_a_second_process_looks_but_does_not_run_and_ctrl_c_twice_ends_all(
    start: Start, tiny: Path, tmp_path: Path, cli: Cli
) -> None:
    home = tmp_path / "home"
    (tiny / "slow").touch()
    running = start("run", tiny, "--json-stream", home=home)
    wait_for_event(running, "JobReported", cycle=1)
    pid = running.process.pid

    told = cli("status", "--json", home=home).json
    assert (told["status"], told["pid"], told["cycle"]) == ("running", pid, 1)
    assert len(told["running"]) >= 1
    assert f"process {pid}" in cli("status", home=home).out
    assert cli("history", "tiny-1", home=home).code == 0
    assert cli("memory", "search", "anything", home=home).code == 0
    assert any(row["status"] == "running" for row in cli("jobs", "--json", home=home).json["jobs"])
    refused = cli("run", tiny, home=home)
    assert refused.code == 4
    assert f"process {pid}" in refused.err
    assert cli("resume", "--json", home=home).json["error"]["exit_code"] == 4
    assert any(f"process {pid}" in c["found"] for c in cli("doctor", "--json", home=home).json["checks"])

    assert alive(tiny)
    running.send(signal.SIGINT)
    running.wait_for("err", "Ctrl-C again")
    running.send(signal.SIGINT)
    stopped = running.wait()
    assert stopped.code == 130
    assert not alive(tiny)
    result = json.loads(stopped.out.splitlines()[-1])
    assert (result["type"], result["status"]) == ("result", "interrupted")
    assert stopped.err.splitlines()[-1] == f"go on with: python run_graph.py --home {home} resume tiny-1"
    assert cli("status", "--json", home=home).json["status"] == "interrupted"


def test_terminated_it_leaves_no_process(start: Start, tiny: Path, tmp_path: Path) -> None:
    (tiny / "slow").touch()
    running = start("run", tiny, "--json-stream", home=tmp_path / "home")
    wait_for_event(running, "JobReported", cycle=1)
    assert alive(tiny)
    running.send(signal.SIGTERM)
    stopped = running.wait()
    assert stopped.code == 143
    assert not alive(tiny)
    assert "resume tiny-1" in stopped.err.splitlines()[-1]


def test_a_stream_that_nobody_reads_ends_the_run_quietly(tiny: Path, tmp_path: Path, cli: Cli) -> None:
    home = tmp_path / "home"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run_graph.py"), "run", str(tiny), "--json-stream", "--home", str(home)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stderr as said:
        first = json.loads(process.stdout.readline())
        assert (first["type"], first["campaign"]) == ("start", "tiny-1")
        process.stdout.close()
        err = said.read()
    assert process.returncode == 128 + signal.SIGPIPE
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert cli("status", "--json", home=home).json["status"] == "interrupted"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("raise SystemExit('no data here')", "no data here"),
        ("print('done')", "no metric"),
        ("print('{\"accuracy\": NaN}')", "accuracy is nan"),
    ],
    ids=["crashes", "no metric", "nan"],
)
def test_a_baseline_without_a_result_is_one_error_and_can_be_mended(
    script: str, said: str, tiny: Path, tmp_path: Path, cli: Cli
) -> None:
    home = tmp_path / "home"
    (tiny / "train.py").write_text(script)
    answer = cli("run", tiny, "-q", home=home)
    assert answer.code == 1
    lines = answer.err.splitlines()
    assert [line[:5].strip() for line in lines] == ["error", "where", "try"]
    assert said in lines[0].lower()
    assert "logs j-" in lines[2]
    assert cli("status", "--json", home=home).json["status"] == "failed"
    assert cli("resume", home=home).code == 3
    told = cli("run", tiny, "--json", home=home).json
    assert (told["error"]["exit_code"], told["campaign"], told["resume"]) == (1, "tiny-2", None)

    (tiny / "train.py").write_text(SCRIPT)
    mended = cli("run", tiny, "--json", "--cycles", "1", home=home)
    assert mended.code == 0, mended.err
    assert mended.json["campaign"] == "tiny-3"


def test_budgets_end_it_and_can_be_raised(tiny: Path, tmp_path: Path, cli: Cli) -> None:
    home = tmp_path / "home"
    short = cli("run", tiny, "--json", "--until", "accuracy>=5", "--cycles", "1", home=home)
    assert short.code == 7
    assert short.json["status"] == "budget"
    assert short.json["resume"] == f"python run_graph.py --home {home} resume tiny-1"
    refused = cli("resume", "tiny-1", "--seed", "9", home=home)
    assert refused.code == 2
    longer = cli("resume", "tiny-1", "--json", "--until", "accuracy>=0.1", home=home)
    assert longer.code == 0, longer
    assert "target reached" in longer.json["reason"]


def test_time_that_runs_out_in_a_cycle_is_a_spent_budget(tiny: Path, tmp_path: Path, cli: Cli) -> None:
    answer = cli("run", tiny, "--json", "--cycles", "500", "--time", "1s", home=tmp_path / "home")
    assert answer.code == 7
    assert answer.json["status"] == "budget"
    trials = cli("history", "tiny-1", "--json", home=tmp_path / "home").json["trials"]
    assert answer.json["control"].get("random", {"jobs": 0})["jobs"] == len(trials)


def test_progress_is_plain_off_a_terminal_and_quiet_says_nothing(tiny: Path, tmp_path: Path, cli: Cli) -> None:
    answer = cli("run", tiny, "--cycles", "1", "--color", "always", home=tmp_path / "home")
    assert "\r" not in answer.err
    assert "\x1b[32m" in answer.err  # colour was asked for
    assert "best" in answer.err
    answer = cli("run", tiny, "--cycles", "1", home=tmp_path / "home")
    assert "\x1b" not in answer.err + answer.out
    answer = cli("run", tiny, "--cycles", "1", "-q", home=tmp_path / "home")
    assert answer.err == ""
    assert "verdict" in answer.out


def test_a_persona_without_a_model_is_told_of_once(tiny: Path, tmp_path: Path, cli: Cli) -> None:
    file = tiny / "campaign.yaml"
    file.write_text(file.read_text() + "council: {voting: [novelty, {use: persona, persona: critical}]}\n")
    checked = cli("run", tiny, "--dry-run")
    assert "critical will abstain" in checked.out
    assert cli("run", tiny, "--dry-run", "--json").json["abstaining"] == ["critical"]
    assert cli("run", tiny, "--dry-run", "--model", "auto", "--json").json["abstaining"] == []
    ran = cli("run", tiny, "--cycles", 2, home=tmp_path / "home")
    assert ran.code == 0
    assert ran.err.count("critical abstains: there is no model at its seat") == 1


def test_detached_it_outlives_the_command(tiny: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    told = call_process("run", tiny, "--cycles", "1", "--detach", "--json", home=home).json
    assert (told["campaign"], told["status"]) == ("tiny-1", "started")
    run = identify_or_none(told["pid"])
    deadline = time.monotonic() + DEADLINE_S
    while run is not None and run.alive() and time.monotonic() < deadline:
        time.sleep(0.1)
    status = call_process("status", "--json", home=home).json
    assert (status["status"], status["finished_cycles"]) == ("finished", 1)
    assert "tiny-1" in Path(told["log"]).read_text()


def identify_or_none(pid: int) -> ProcessIdentity | None:
    try:
        return identify(pid)
    except ProcessLookupError:
        return None


def test_a_cycle_without_a_proposal_says_so(tiny: Path, cli: Cli, tmp_path: Path) -> None:
    (tiny / "roles.py").write_text(
        "def silent():\n    async def propose(case, kit):\n        return []\n    return propose\n"
    )
    told = (tiny / "campaign.yaml").read_text() + "\ncouncil: {proposers: ['roles.py:silent']}\n"
    (tiny / "campaign.yaml").write_text(told)
    answer = cli("run", tiny, "--plain", "--cycles", "1", home=tmp_path / "home")
    assert answer.code == 0
    assert "proposal   none: nobody had anything new to offer" in answer.err
    assert "nothing was tried: no proposer had anything to offer" in answer.out
