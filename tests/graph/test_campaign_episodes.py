"""Campaigns make the episodes that their ledgers tell of: run, killed, gone on with, with a model, with a full disk."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_campaign import events, kill, run, runs, start, write_campaign

from core.episodes import TrainingEpisode
from core.errors import BusyError, NotFoundError
from core.events import JobFinished
from graph.episode_listener import EpisodeListener, follow_episodes
from graph.episode_story import rebuild
from memory.episodes import EpisodeLogger, get_episode_logger, rag_query
from memory.history import History
from memory.ledger import Ledger
from tests.model_servers.council_answers import answer
from tests.model_servers.ollama_stand_in import start as start_server

SLOW = bool(os.environ.get("RATCHET_SLOW"))
RUN = "tiny-1"
SEEDED = ("--seed", "3")


def logger_of(home: Path) -> EpisodeLogger:
    return EpisodeLogger(home / "training" / "episodes")


def of_type(episode: TrainingEpisode, name: str) -> list[dict[str, Any]]:
    return [entry["data"] for entry in (*episode.actions, *episode.outcomes) if entry["type"] == name]


def expect_what_the_ledger_tells(home: Path, logger: EpisodeLogger) -> list[TrainingEpisode]:
    """Each episode against the history of the campaign, which knows nothing of episodes."""
    with Ledger(home / "ledger.db") as ledger:
        history = History.load(ledger, RUN)
        jobs = [e for e in ledger.events(RUN, types=[JobFinished]) if isinstance(e, JobFinished) and e.cycle]
    found = logger.episodes(RUN)
    assert [e.episode_number for e in found] == sorted(history.cycles)
    for episode in found:
        cycle = history.cycles[episode.episode_number]
        assert cycle.finished is not None
        assert cycle.direction is not None
        assert episode.status == "completed"
        assert episode.started_at == cycle.started_at
        assert episode.completed_at == cycle.finished.at
        assert episode.context["campaign"] == RUN
        assert episode.context["direction"]["mode"] == cycle.direction.mode
        assert history.baseline is not None
        assert episode.context["baseline"]["mean_score"] == history.baseline.mean
        made = of_type(episode, "proposal")
        assert [p["proposal"] for p in made] == list(cycle.proposals)
        for told in made:
            proposal = cycle.proposals[told["proposal"]].proposal
            assert told["proposer"] == proposal.proposer
            assert told.get("config", {}) == {
                name: pytest.approx(value, rel=1e-5) if isinstance(value, float) else value
                for name, value in proposal.config.items()
            }
        votes = {told["proposal"]: told["votes"] for told in of_type(episode, "votes")}
        assert {p: set(v) for p, v in votes.items()} == {
            p: {v.vote.voter for v in cast} for p, cast in cycle.votes.items() if cast
        }
        rulings = {told["proposal"]: told["decision"] for told in of_type(episode, "ruling")}
        assert rulings == {p: e.ruling.decision for p, e in cycle.rulings.items()}
        mine = [e for e in jobs if e.cycle == episode.episode_number]
        assert [told["job"] for told in of_type(episode, "job")] == [e.outcome.job_id for e in mine]
        calls = [call for call in history.model_calls if call.cycle == episode.episode_number]
        assert len(of_type(episode, "llm_generation")) == len(calls)
        metrics = episode.metrics
        assert metrics.changes_proposed == len(cycle.proposals)
        assert metrics.changes_accepted == sum(d in ("accept", "amend") for d in rulings.values())
        assert metrics.llm_calls == len(calls)
        assert metrics.tokens_used == sum(c.input_tokens + c.output_tokens for c in calls)
        assert metrics.inference_time_ms == pytest.approx(1e3 * sum(c.duration_s for c in calls))
        errors = (
            sum(e.outcome.status == "failed" for e in mine) + len(cycle.failures) + sum(bool(c.error) for c in calls)
        )
        assert metrics.error_count == errors
        recalled = sum(bool(e.proposal.memories) for e in cycle.proposals.values())
        recalled += sum(bool(v.vote.memories) for cast in cycle.votes.values() for v in cast)
        assert metrics.rag_queries == recalled == len(of_type(episode, "rag_query"))
        assert of_type(episode, "cycle") == [{"metrics": cycle.finished.metrics}]
    verdicts = [told for episode in found for told in of_type(episode, "verdict")]
    assert [told["proposal"] for told in verdicts] == ([history.verdict.proposal_id] if history.verdict else [])
    assert not [p for p in logger.files.folder.iterdir() if p.suffix == ".journal"]
    return found


def expect_rebuilt_alike(home: Path, logger: EpisodeLogger) -> None:
    before = logger.episodes(RUN)
    with Ledger(home / "ledger.db") as ledger:
        made = rebuild(ledger, RUN, logger)
    assert made == before == logger.episodes(RUN)


def test_a_campaign_makes_an_episode_a_cycle(tmp_path: Path) -> None:
    home = tmp_path / "home"
    code, _, stderr = run("run", str(write_campaign(tmp_path)), "--home", str(home), *SEEDED)
    assert code == 0, stderr
    logger = logger_of(home)
    found = expect_what_the_ledger_tells(home, logger)
    assert [e.episode_id for e in found] == ["tiny-1_ep0001", "tiny-1_ep0002"]
    assert all(path.stat().st_size < 8_000 for path in logger.files.folder.glob("*.json"))
    expect_rebuilt_alike(home, logger)
    for path in logger.files.folder.glob("*.json"):
        path.unlink()
    with Ledger(home / "ledger.db") as ledger:
        assert rebuild(ledger, RUN, logger) == found  # nothing is known by the files alone
        with pytest.raises(NotFoundError):
            rebuild(ledger, "nobody-1", logger)


@pytest.mark.slow
def test_with_a_model_its_calls_are_told_by_the_names_of_their_prompts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with start_server(answer=answer) as server:
        words = ("run", str(write_campaign(tmp_path)), "--home", str(home), "--model", "ollama:llama3.2")
        code, _, stderr = run(*words, env={"OLLAMA_HOST": server.url})
        assert code == 0, stderr
        asked = len(server.calls)
    logger = logger_of(home)
    found = expect_what_the_ledger_tells(home, logger)
    calls = [call for episode in found for call in of_type(episode, "llm_generation")]
    assert len(calls) == asked
    assert {(call["model"], call["backend"]) for call in calls} == {("llama3.2", "ollama")}
    assert all("@" in call["prompt"] and len(call["prompt"]) < 60 for call in calls)
    assert {call["role"] for call in calls} == {"director", "proposer", "voter", "supervisor", "historian"}
    assert logger.get_run_summary(RUN)["total_tokens_used"] == sum(call["tokens"] for call in calls) > 0
    expect_rebuilt_alike(home, logger)


MOMENTS = (
    "CycleStarted",
    "ProposalMade",
    "VoteCast",
    "ProposalRuled",
    "JobFinished",
    "CycleFinished",
    "VerdictReached",
)


@pytest.mark.slow
@pytest.mark.parametrize("moments", [MOMENTS[0::3], MOMENTS[1::3], MOMENTS[2::3]], ids="-".join)
def test_killed_and_gone_on_with_the_episodes_are_whole(tmp_path: Path, moments: tuple[str, ...]) -> None:
    home, logger = tmp_path / "home", logger_of(tmp_path / "home")
    words = ["run", str(write_campaign(tmp_path)), *SEEDED]
    for moment in moments:
        process = start(*words, "--home", str(home))
        assert any(event["type"] == moment for event in events(process)), moment
        kill(process)
        words = ["resume", RUN]
        assert {e.status for e in logger.episodes(RUN)} <= {"completed", "interrupted"}
    code, _, stderr = run("resume", RUN, "--home", str(home))
    assert code == 0, stderr
    expect_what_the_ledger_tells(home, logger)
    expect_rebuilt_alike(home, logger)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12 if SLOW else 2))
def test_killed_at_random_times(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    home, logger = tmp_path / "home", logger_of(tmp_path / "home")
    words = ["run", str(write_campaign(tmp_path)), *SEEDED]
    for _ in range(2):
        process = start(*words, "--home", str(home))
        for _ in zip(range(rng.randrange(1, 60)), events(process), strict=False):
            words = ["resume", RUN]
        time.sleep(rng.random() * 0.1)
        kill(process)
    code, _, stderr = run("resume", RUN, "--home", str(home))
    assert code == 0, stderr
    expect_what_the_ledger_tells(home, logger)
    expect_rebuilt_alike(home, logger)


@pytest.mark.slow
def test_stopped_in_the_middle_the_file_says_so(tmp_path: Path) -> None:
    home, logger = tmp_path / "home", logger_of(tmp_path / "home")
    process = start("run", str(write_campaign(tmp_path)), "--home", str(home))
    for event in events(process):
        if event["type"] == "ProposalMade":
            process.terminate()
    assert process.wait() == 143
    process.communicate()
    told = json.loads(logger.files.path("tiny-1_ep0001").read_text())
    assert (told["status"], told["completed_at"]) == ("interrupted", None)
    assert told["metrics"]["changes_proposed"] > 0
    code, _, stderr = run("resume", "--home", str(home))
    assert code == 0, stderr
    found = expect_what_the_ledger_tells(home, logger)
    assert found[0].metadata == {"resumed": 1}


@pytest.mark.slow
def test_switched_off_nothing_is_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    off = ("--set", "log_episodes=false", "--cycles", "1")
    code, _, stderr = run("run", str(write_campaign(tmp_path)), "--home", str(home), *off)
    assert code == 0, stderr
    assert not (home / "training").exists()


@pytest.mark.slow
def test_where_they_cannot_be_kept_the_run_goes_on_and_says_so_once(tmp_path: Path) -> None:
    home, place = tmp_path / "home", tmp_path / "a file"
    place.write_text("no folder")
    words = ("run", str(write_campaign(tmp_path)), "--home", str(home))
    code, told, stderr = run(*words, env={"EPISODES_DIR": str(place)})
    assert (code, told[-1]["status"]) == (0, "finished")
    assert stderr.count("episodes are not logged") == 1
    with Ledger(home / "ledger.db") as ledger:
        rebuild(ledger, RUN, logger_of(home))
    expect_what_the_ledger_tells(home, logger_of(home))


@pytest.mark.slow
@pytest.mark.parametrize("disk", [1], indirect=True)
def test_a_full_disk_fails_no_run_and_is_made_up_for(disk: Any, tmp_path: Path) -> None:
    home, logger = tmp_path / "home", EpisodeLogger(disk.path / "episodes")
    at = {"env": {"EPISODES_DIR": str(disk.path / "episodes")}}
    process = start("run", str(write_campaign(tmp_path, until="score >= 9")), "--home", str(home), **at)
    for event in events(process):
        if event["type"] == "DirectionSet" and event["cycle"] == 1:
            disk.fill()
    stderr = process.stderr.read()  # type: ignore[union-attr]
    assert process.wait() == 7, stderr  # its budget is spent, as it would be with space
    process.communicate()
    assert stderr.count("episodes are not logged") == 1
    assert max(runs(tmp_path).values()) == 1

    disk.empty()

    code, _, stderr = run("resume", RUN, "--cycles", "3", "--home", str(home), **at)
    assert code == 7, stderr
    assert "not logged" not in stderr
    with Ledger(home / "ledger.db") as ledger:
        verdicts = [e for e in ledger.events(RUN) if e.type == "VerdictReached"]
    found = logger.episodes(RUN)
    assert [(e.episode_number, e.status) for e in found] == [(n, "completed") for n in (1, 2, 3)]
    assert sum(len(of_type(e, "verdict")) for e in found) == len(verdicts)
    expect_rebuilt_alike(home, logger)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of a campaign that ran with its log switched off."""
    folder = tmp_path_factory.mktemp("finished")
    off = ("--set", "log_episodes=false")
    code, _, stderr = run("run", str(write_campaign(folder)), "--home", str(folder / "home"), *off, *SEEDED)
    assert code == 0, stderr
    return folder / "home"


def heard(ledger: Ledger, logger: EpisodeLogger, told: list[str] | None = None) -> EpisodeListener:
    return EpisodeListener(ledger, ledger.campaign(RUN), logger, (told if told is not None else []).append)


def test_a_listener_makes_up_for_all_that_it_did_not_hear(finished: Path, tmp_path: Path) -> None:
    logger = EpisodeLogger(tmp_path)
    with Ledger(finished / "ledger.db") as ledger:
        *_, last = ledger.events(RUN)
        listener = heard(ledger, logger)
        assert logger.list_runs() == []  # until it has heard something it does not know that it may
        listener.hear(last)
        listener.close()
    expect_what_the_ledger_tells(finished, logger)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_was_heard_how_often_the_episodes_are_the_same(finished: Path, tmp_path: Path, seed: int) -> None:
    """Sessions that hear a part of the events, some twice, and end anywhere."""
    rng = random.Random(seed)
    logger = EpisodeLogger(tmp_path)
    with Ledger(finished / "ledger.db") as ledger:
        stream = list(ledger.events(RUN))
        expected = rebuild(ledger, RUN, EpisodeLogger(tmp_path / "expected"))
        for _ in range(4):
            listener = heard(ledger, logger)
            first = rng.randrange(len(stream))
            for event in stream[first : first + rng.randrange(60)]:
                for _ in range(rng.choice((1, 1, 2))):
                    listener.hear(event)
            if rng.random() < 0.5:
                listener.close()
    assert logger.episodes(RUN) == expected


def test_what_others_logged_survives_a_rebuild(finished: Path, tmp_path: Path) -> None:
    with Ledger(finished / "ledger.db") as ledger:
        logger = EpisodeLogger(tmp_path)
        logger.start_episode(RUN, 1, "by hand", metadata={"mine": True})
        logger.log_action("embedding_generation", {"text": "x", "model": "m"}, increments={"llm_calls": 2})
        logger.update_metrics(inference_time_ms=1.5)
        logger.complete_episode("interrupted")
        made = rebuild(ledger, RUN, logger)
        assert rebuild(ledger, RUN, logger) == made
    first = made[0]
    assert of_type(first, "embedding_generation") == [{"text": "x", "model": "m"}]
    assert (first.metrics.llm_calls, first.metrics.inference_time_ms) == (2, 1.5)
    assert first.metrics.changes_proposed == len(of_type(first, "proposal")) > 0
    assert (first.status, first.metadata) == ("completed", {"mine": True})
    times = [entry["at"] for entry in first.actions]
    assert times == sorted(times)


def test_a_damaged_episode_is_made_again_and_its_file_kept(finished: Path, tmp_path: Path) -> None:
    logger = EpisodeLogger(tmp_path)
    with Ledger(finished / "ledger.db") as ledger:
        made = rebuild(ledger, RUN, logger)
        logger.files.path("tiny-1_ep0002").write_text("{")
        *_, last = ledger.events(RUN)
        told: list[str] = []
        heard(ledger, logger, told).hear(last)
    assert told == []
    assert logger.episodes(RUN) == made
    assert (tmp_path / "tiny-1_ep0002.json.damaged-1").read_text() == "{"


def test_a_running_episode_is_not_written_over(finished: Path, tmp_path: Path) -> None:
    logger = EpisodeLogger(tmp_path)
    logger.start_episode(RUN, 1, "open")
    with Ledger(finished / "ledger.db") as ledger, pytest.raises(BusyError, match=str(os.getpid())):
        rebuild(ledger, RUN, logger)
    assert logger.complete_episode().task_description == "open"


def test_while_a_campaign_is_followed_its_logger_is_the_shared_one(finished: Path, tmp_path: Path) -> None:
    with Ledger(finished / "ledger.db") as ledger:
        with follow_episodes(ledger, ledger.campaign(RUN), tmp_path, print):
            logger = get_episode_logger()
            assert logger.files.folder == tmp_path
            logger.start_episode("mine", 1, "beside it")
            with rag_query("anything"):
                pass
            assert len(logger.complete_episode().actions) == 1
        assert get_episode_logger() is not logger
