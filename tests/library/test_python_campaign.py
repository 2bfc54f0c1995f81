"""A campaign from Python: run, streamed, stepped, asked and told; over real jobs, in the store of the command line."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from objectives import LOCK, hill, reporting

from core.errors import ConfigError, NotFoundError
from core.events import CycleFinished, JobFinished, JobReported
from ratchet import Campaign, Choice, Float, Int
from service.cli import main

SPACE = {"x": Float(0.0, 1.0), "kind": Choice("a", "b")}
FAST: dict[str, Any] = {"noise": {"repeats": 2, "verdict_pairs": 2, "confirmations": 0}, "recall": False}


def small(home: Path, **options: Any) -> Campaign:
    return Campaign("hill", objective=hill, space=SPACE, home=home, **{**FAST, **options})


def by_hand(home: Path, **options: Any) -> Campaign:
    return Campaign("by-hand", space=SPACE, home=home, **{**FAST, "budget": {"cycles": 1}, **options})


def test_a_run_gives_best_frame_reasons_and_standings(tmp_path: Path) -> None:
    campaign = small(tmp_path)
    heard: list[str] = []

    @campaign.on_event
    def hear(event: Any) -> None:
        heard.append(event.type)
        raise RuntimeError("a listener that fails")

    result = campaign.run(cycles=2)
    assert result.status == "finished"
    assert campaign.result is result
    best = result.best
    assert best is not None
    assert best.value == max(trial.value for trial in result if trial.value is not None)
    assert best.value == hill(best.config, 0)
    assert result.verdict is not None
    frame = result.frame()
    assert len(frame) == len(result.trials) == len(result)
    assert {"x", "kind", "value", "metric.score"} <= set(frame.columns)
    reasons = result.why(best)
    assert reasons["proposer"] == best.proposer
    assert best.id in str(reasons)
    assert result.agents()["voters"]
    assert "verdict" in str(result)
    page = result.report(tmp_path / "report.html").read_text()
    assert page.startswith("<!")
    assert "By the Python program that began it" in page
    assert {"CampaignStarted", "VoteCast", "JobFinished", "VerdictReached"} <= set(heard)
    with pytest.raises(NotFoundError):
        result.why("p-none")


def test_the_command_line_sees_it_and_the_same_definition_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = small(tmp_path).step()
    assert (first.status, first.summary()["cycles"][-1]["cycle"]) == ("interrupted", 1)
    second = small(tmp_path).step()
    assert second.campaign_id == first.campaign_id
    assert second.trials[: len(first)] == first.trials
    assert second.verdict is None
    capsys.readouterr()
    assert main(["--home", str(tmp_path), "--json", "status"]) == 0
    assert json.loads(capsys.readouterr().out)["finished_cycles"] == 2


def test_metrics_seed_and_reports_reach_the_function_and_come_back(tmp_path: Path) -> None:
    campaign = Campaign("reports", objective=reporting, space={"x": Float(0.0, 1.0)}, home=tmp_path, **FAST)
    events = list(campaign.stream(cycles=1))
    reported = [event.metrics for event in events if isinstance(event, JobReported)]
    assert {"step": 1.0, "score": 0.1} in reported
    ended = [event for event in events if isinstance(event, JobFinished)]
    assert all(e.outcome.metrics["cost"] == 2 * e.outcome.metrics["score"] for e in ended)
    assert campaign.result is not None


def test_a_loop_that_is_left_stops_the_run_and_it_goes_on(tmp_path: Path) -> None:
    campaign = small(tmp_path)
    for event in campaign.stream(cycles=3):
        if isinstance(event, CycleFinished):
            break
    result = small(tmp_path).step()
    assert len(result.summary()["cycles"]) == 2


def test_it_runs_inside_an_event_loop_and_beside_it(tmp_path: Path) -> None:
    async def both() -> list[int]:
        blocking = small(tmp_path / "a").run(cycles=1)  # a notebook's cell
        waiting = await small(tmp_path / "b").arun(cycles=1)
        streamed = [e async for e in small(tmp_path / "c").astream(cycles=1) if isinstance(e, CycleFinished)]
        return [len(blocking), len(waiting), 3 * len(streamed)]

    assert asyncio.run(both()) == [3, 3, 3]


def test_functions_of_notebooks_with_what_they_close_over(tmp_path: Path) -> None:
    top = 0.7
    campaign = Campaign(
        "closed", objective=lambda config: top - abs(config["n"] - 3), space={"n": Int(1, 5)}, home=tmp_path, **FAST
    )
    best = campaign.run(cycles=2).best
    assert best is not None
    assert best.value == pytest.approx(top - abs(best.config["n"] - 3))


def test_ask_and_tell_measure_everything_and_end(tmp_path: Path) -> None:
    with by_hand(tmp_path) as campaign:
        seen = []
        while True:
            asked = campaign.ask()
            if asked is None:
                assert campaign.finished
                break
            seen.append(asked)
            campaign.tell(asked, hill(asked.config, asked.seed))
        assert {asked.seed for asked in seen} >= {0, 1, 2}
        assert seen[0].config == {"x": 0.5, "kind": "a"}
        result = campaign.result
    assert result is not None
    assert result.status == "finished"
    assert {trial.config["x"] for trial in result} <= {asked.config["x"] for asked in seen}
    assert result.verdict is not None


def test_several_are_out_at_once_and_what_was_not_told_is_asked_again(tmp_path: Path) -> None:
    with by_hand(tmp_path) as campaign:
        for _ in range(2):
            baseline = campaign.ask()
            assert baseline is not None
            campaign.tell(baseline, {"score": 0.5})
        out = [campaign.ask(), campaign.ask(), campaign.ask()]
        assert campaign.ask() is None  # until one is told
        assert not campaign.finished
        assert out[0] is not None
        campaign.tell(out[0].id, failed="diverged")
        with pytest.raises(NotFoundError):
            campaign.tell(out[0], 0.5)
        with pytest.raises(ConfigError):
            campaign.tell(out[1] or "", float("nan"))
        with pytest.raises(ConfigError):
            campaign.tell(out[1] or "", {"other": 1.0})
    with by_hand(tmp_path) as campaign:
        again = [campaign.ask(), campaign.ask()]
        assert {a.config["x"] for a in again if a} == {a.config["x"] for a in out[1:] if a}


def test_callbacks_guide_and_answer(tmp_path: Path) -> None:
    campaign = small(tmp_path, approvals={"mode": "human"}, budget={"cycles": 1})
    asked: list[str] = []

    @campaign.on_guidance
    def keep(case: Any) -> str | None:
        return "keep x below 0.4" if case.cycle == 1 else None

    @campaign.on_approval
    def yes(ask: Any) -> Any:
        asked.append(ask.risk)
        return ask.accept() if len(asked) == 1 else ask.park() if len(asked) == 2 else ask.ignore("enough")

    result = campaign.run()
    assert result.status == "waiting"
    assert len(asked) >= 2
    assert all(trial.config["x"] < 0.4 for trial in result)

    waiting = small(tmp_path, approvals={"mode": "human"}, budget={"cycles": 1})
    assert waiting.guide("keep x below 0.6").id == "g2"  # the campaign of the object before, as of another process
    waiting.on_approval(lambda ask: ask.accept())
    done = waiting.run()
    assert (done.campaign_id, done.status) == (result.campaign_id, "finished")
    assert all(trial.config["x"] < 0.4 for trial in done)
    told = waiting.guide("keep x above 0.1")
    assert told.text == "keep x above 0.1"
    with pytest.raises(NotFoundError, match="on_guidance"):
        small(tmp_path, budget={"jobs": 7}, metric="other").guide("keep x above 0.1")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"objective": 0.5}, "no function"),
        ({"objective": hill, "command": ["true"]}, "both given"),
        ({"objective": hill, "cycels": 3}, "cycels"),
        ({"objective": hill, "baseline": {"x": 7.0, "kind": "a"}}, "x = 7.0"),
        ({"objective": hill, "space": {}}, "space"),
        ({"objective": partial(hill, seed=LOCK)}, "another process"),
    ],
)
def test_what_would_fail_later_is_refused_at_once(tmp_path: Path, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Campaign("wrong", **{"space": SPACE, "home": tmp_path, **wrong})


def test_an_objective_without_a_number_is_a_failed_job_with_its_reason(tmp_path: Path) -> None:
    campaign = Campaign("odd", objective=lambda config: "fine", space=SPACE, home=tmp_path, **FAST)
    with pytest.raises(Exception, match="the objective returned str"):
        campaign.run(cycles=1)


def test_a_campaign_file_runs_from_python(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import json, sys\nprint(json.dumps({'score': json.load(open(sys.argv[1]))['x']}))"
    )
    (tmp_path / "campaign.yaml").write_text(
        "name: filed\ncommand: ['{python}', '{here}/train.py', '{config}']\nobjective: {metric: score}\n"
        "space: {x: {type: float, low: 0, high: 1}}\nbaseline: {x: 0.5}\nnoise: {repeats: 2, verdict_pairs: 0}\n"
    )
    result = Campaign.from_file(tmp_path, home=tmp_path / "home", recall=False, seed=3).run(cycles=1)
    assert len(result) == 3
    assert "director" in Campaign.from_file(tmp_path, home=tmp_path / "home").graph.get_graph().draw_mermaid()


@pytest.mark.slow
def test_ctrl_c_gives_what_there_is_and_the_script_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            import sys, time
            from ratchet import Campaign, Float

            def slow(config):
                time.sleep(0.2)
                return config["x"]

            campaign = Campaign("ctrl-c", objective=slow, space={"x": Float(0, 1)}, home=sys.argv[1], recall=False)
            campaign.on_event(lambda event: event.type == "CycleStarted" and print("begun", flush=True))
            result = campaign.run(cycles=50)
            print(result.status, len(result), flush=True)
        """)
    )
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path / "home")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read().split()
    assert process.wait(timeout=60) == 0
    assert rest[-2] == "interrupted"
