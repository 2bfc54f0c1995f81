"""`status`, `history`, `show`, `why`, `jobs`, `logs`, `memory` on a campaign that ran to its end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command_line import Cli, Finished

from service.operations.jobs import read_log

pytestmark = pytest.mark.xdist_group("service")


def test_status_names_best_against_baseline(finished: Finished, cli: Cli) -> None:
    told = cli("status", "--json", home=finished.home).json
    assert told["status"] == "finished"
    assert told["pid"] is None
    assert told["finished_cycles"] == 3
    assert told["best"]["proposal"] == finished.result["best"]["proposal"]
    assert told["best"]["gain"] == pytest.approx(told["best"]["value"] - told["baseline"]["value"])
    text = cli("status", "tiny", home=finished.home)
    assert text.code == 0
    assert told["best"]["proposal"] in text.out


def test_history_lists_campaigns_and_every_trial(finished: Finished, cli: Cli) -> None:
    (row,) = cli("history", "--json", home=finished.home).json["campaigns"]
    assert (row["campaign"], row["status"], row["cycles"]) == ("tiny-1", "finished", 3)
    trials = cli("history", "tiny-1", "--json", home=finished.home).json["trials"]
    assert len(trials) == row["trials"] == 9
    assert {t["cycle"] for t in trials} == {1, 2, 3}
    lines = cli("history", "tiny-1", home=finished.home).out.splitlines()
    assert len(lines) == 1 + 1 + len(trials)
    assert all(t["proposal"] in line for t, line in zip(trials, lines[2:], strict=True))


def test_show_finds_campaign_proposal_and_job_by_prefix(finished: Finished, cli: Cli) -> None:
    trial = cli("history", "tiny-1", "--json", home=finished.home).json["trials"][0]
    campaign = cli("show", "tin", "--json", home=finished.home).json
    assert (campaign["kind"], campaign["definition"]["name"]) == ("campaign", "tiny")
    proposal = cli("show", trial["proposal"][:7], "--json", home=finished.home).json
    assert (proposal["kind"], proposal["proposal"]["config"]) == ("proposal", trial["config"])
    job = cli("show", trial["job"], "--json", home=finished.home).json
    assert job["outcome"]["job_id"] == trial["job"]
    assert job["attempts"][0]["proposal_id"] == trial["proposal"]
    text = cli("show", trial["job"], home=finished.home)
    assert trial["job"] in text.out
    assert "\x1b" not in text.out


def test_council_tells_who_was_right(finished: Finished, cli: Cli) -> None:
    told = cli("agents", "--json", home=finished.home).json
    trials = cli("history", "tiny-1", "--json", home=finished.home).json["trials"]
    assert {row["name"] for row in told["voters"]} == {"world_model", "novelty", "constraints"}
    assert sum(row["carried_out"] for row in told["proposers"]) == len(trials)
    (rules,) = told["sources"]
    assert (rules["source"], rules["carried_out"], rules["voters"]) == ("rules", len(trials), 3)
    assert rules["best"] == max(t["value"] for t in trials if t["value"] is not None)
    assert rules["judged"] == sum(row["judged"] for row in told["voters"])
    text = cli("agents", home=finished.home).out
    assert "world_model" in text
    assert "decided by" not in text  # nobody but the rules


@pytest.mark.parametrize("wanted", ["critical=research", "critical", "=x"])
def test_a_seat_that_is_not_there_cannot_be_switched(finished: Finished, cli: Cli, wanted: str) -> None:
    answer = cli("agents", "--switch", wanted, home=finished.home)
    assert answer.code == 2
    assert "--switch" in answer.err


def test_an_unknown_id_is_one_clear_error(finished: Finished, cli: Cli) -> None:
    for words in (("show", "p-nothing"), ("why", "zz"), ("status", "other-1"), ("logs", "j-"), ("jobs", "nope")):
        answer = cli(*words, home=finished.home)
        assert answer.code == 3
        assert [line[:5].strip() for line in answer.err.splitlines()] == ["error", "where", "try"]
        assert cli(*words, "--json", home=finished.home).json["error"]["exit_code"] == 3


def test_why_tells_the_whole_story(finished: Finished, cli: Cli) -> None:
    trials = cli("history", "tiny-1", "--json", home=finished.home).json["trials"]
    told = [cli("why", t["proposal"], "--json", home=finished.home).json for t in trials]
    for trial, why in zip(trials, told, strict=True):
        assert why["rationale"]
        assert {v["voter"] for v in why["votes"]} == {"world_model", "novelty", "constraints"}
        assert all(v["reason"] and v["weight"] is not None for v in why["votes"])
        assert why["ruling"]["decision"] == "accept"
        assert why["outcome"]["job"] == trial["job"]
        prediction = why["outcome"]["prediction"]
        if prediction is not None and why["outcome"]["value"] is not None:
            difference = why["outcome"]["value"] - prediction["value"]
            assert prediction["difference"] == pytest.approx(difference)
            assert prediction["sds_off"] == pytest.approx(difference / prediction["sd"])
    assert sum(why["became_best"]["still"] for why in told) == 1
    best = finished.result["best"]["proposal"]
    text = cli("why", best, home=finished.home)
    assert "it still is" in text.out
    calibration = finished.result["calibration"]["score"]
    assert told[0]["calibration"] == calibration
    assert f"the 90% interval held {calibration['covered']:.0%} of {calibration['n']} outcomes" in text.out
    assert cli("why", next(t["job"] for t in trials if t["proposal"] == best), home=finished.home).out == text.out


def test_why_gives_the_text_of_memories_used(finished: Finished, cli: Cli) -> None:
    trials = cli("history", "tiny-1", "--json", home=finished.home).json["trials"]
    told = [cli("why", t["proposal"], "--json", home=finished.home).json for t in trials]
    used = [m for why in told for m in [*why["memories"], *(m for v in why["votes"] for m in v["memories"])]]
    assert used, "no role used a memory in three cycles"
    assert all(m["text"] and "tiny" in m["text"] for m in used if m["id"].startswith("t-"))


def test_jobs_and_logs(finished: Finished, cli: Cli) -> None:
    rows = cli("jobs", "--json", home=finished.home).json["jobs"]
    assert {row["purpose"] for row in rows} == {"baseline", "proposal", "control", "verdict"}
    counted = finished.result["jobs"]
    assert sum(row["status"] == "ok" for row in rows) == counted["ok"]
    assert len(cli("jobs", home=finished.home).out.splitlines()) == 1 + len(rows)
    fine = next(row for row in rows if row["status"] == "ok")
    text = cli("logs", fine["job"], home=finished.home).out
    assert "a line \\x1b]0;title\\x07 of talk" in text
    assert "\x1b" not in text
    told = cli("logs", fine["job"], "--json", home=finished.home).json
    assert told["stderr"]["text"] == ""


def test_a_large_log_is_shown_from_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "stdout.log"
    path.write_bytes(b"head" + b"x" * 200_000 + b"tail")
    log = read_log(path, 1000)
    assert log is not None
    assert log["text"].startswith("head")
    assert log["text"].endswith("tail")
    assert log["left_out_bytes"] == 200_008 - 1000
    assert "199,008 bytes left out" in log["text"]


def test_a_log_that_is_a_link_or_a_pipe_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link.log").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe.log")
    assert read_log(tmp_path / "link.log") is None
    assert read_log(tmp_path / "pipe.log") is None


def test_memory_is_searched_and_rebuilt_with_the_same_answer(finished: Finished, cli: Cli) -> None:
    question = ("memory", "search", "tiny", "kind=b", "-k", "3", "--json")
    before = cli(*question, home=finished.home).json["memories"]
    assert len(before) == 3
    assert all(m["text"] for m in before)
    assert cli("memory", "rebuild", "--json", home=finished.home).json["memories"] >= 9
    assert cli(*question, home=finished.home).json["memories"] == before
    lessons = cli("memory", "search", "x", "--collection", "trajectories", "--json", home=finished.home).json
    assert {m["kind"] for m in lessons["memories"]} == {"trajectory"}


def test_nothing_run_yet(cli: Cli, tmp_path: Path) -> None:
    for words in (("status",), ("history",), ("jobs",), ("report",), ("memory", "search", "x")):
        answer = cli(*words, home=tmp_path / "none")
        assert answer.code == 3
        assert "nothing was run here yet" in answer.err
    assert not (tmp_path / "none").exists()
