"""The episode log through its calls: threads, processes, kills, a full disk, damaged files."""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.episodes import EpisodeMetrics, TrainingEpisode, episode_id_of, parts_of_episode_id
from core.errors import BusyError, ConfigError, NotFoundError, StorageError
from memory.episodes import (
    EpisodeLogger,
    embedding_generation,
    get_episode_logger,
    llm_generation,
    rag_query,
)

WORKER = [sys.executable, str(Path(__file__).with_name("episode_worker.py"))]


@pytest.fixture
def logger(tmp_path: Path) -> EpisodeLogger:
    return EpisodeLogger(tmp_path / "episodes")


def raw(logger: EpisodeLogger, episode_id: str) -> dict[str, Any]:
    """The file as any other program reads it."""
    told: dict[str, Any] = json.loads(logger.files.path(episode_id).read_text())
    return told


def tear(logger: EpisodeLogger, episode_id: str) -> None:
    """Leave the episode as a process that is gone would: its owner is no living process."""
    path = logger.files.path(episode_id)
    told = json.loads(path.read_text())
    told["metadata"]["owner"]["start_time"] -= 1
    path.write_text(json.dumps(told))


# ----------------------------------------------------------------------- the contract


def test_the_records_have_the_fields_and_defaults_of_the_contract() -> None:
    assert EpisodeMetrics().model_dump() == {
        "tokens_used": 0,
        "inference_time_ms": 0.0,
        "changes_proposed": 0,
        "changes_accepted": 0,
        "rag_queries": 0,
        "llm_calls": 0,
        "error_count": 0,
    }
    assert set(TrainingEpisode.model_fields) - {"version"} == {
        *("episode_id", "run_id", "episode_number", "started_at", "completed_at", "status", "task_description"),
        *("context", "actions", "outcomes", "metrics", "metadata"),
    }


def test_an_episode_from_start_to_end(logger: EpisodeLogger) -> None:
    started = logger.start_episode("nightly", 7, "make it faster", context={"repo": "x"}, metadata={"by": "me"})
    assert (started.episode_id, started.status, started.completed_at) == ("nightly_ep0007", "running", None)
    assert logger.log_action("rag_query", {"query": "q", "results": ["m-1"], "collection": "lessons"})
    assert logger.log_outcome("tests", {"passed": 12})
    assert logger.update_metrics(tokens_used=10, inference_time_ms=1.5)
    assert logger.update_metrics(tokens_used=5)
    assert logger.update_context({"direction": "explore"})
    seen = logger.load_episode("nightly_ep0007")
    assert (seen.status, len(seen.actions), seen.metrics.tokens_used) == ("running", 1, 15)

    ended = logger.complete_episode(metadata={"score": 0.5})

    assert ended == logger.load_episode("nightly_ep0007") == TrainingEpisode(**raw(logger, "nightly_ep0007"))
    assert ended.status == "completed"
    assert ended.completed_at is not None
    assert ended.completed_at >= ended.started_at
    assert ended.context == {"repo": "x", "direction": "explore"}
    assert ended.metadata == {"by": "me", "score": 0.5}
    (action,) = ended.actions
    assert action["type"] == "rag_query"
    assert action["data"] == {"query": "q", "results": ["m-1"], "collection": "lessons"}
    assert [outcome["data"] for outcome in ended.outcomes] == [{"passed": 12}]
    assert (ended.metrics.tokens_used, ended.metrics.inference_time_ms) == (15, 1.5)
    assert sorted(p.name for p in logger.files.folder.iterdir()) == [".lock", "nightly_ep0007.json"]


def test_the_sums_of_a_run(logger: EpisodeLogger) -> None:
    for number, status in ((2, "completed"), (1, "failed"), (10, "completed")):
        logger.start_episode("run", number, "x")
        logger.update_metrics(tokens_used=number, changes_proposed=2, changes_accepted=1)
        logger.complete_episode(status)  # type: ignore[arg-type]
    logger.start_episode("run_ep0001", 1, "another run whose name looks like an episode")
    assert logger.list_episodes("run") == ["run_ep0001", "run_ep0002", "run_ep0010"]
    assert logger.list_runs() == ["run", "run_ep0001"]
    told = logger.get_run_summary("run")
    assert told["run_id"] == "run"
    assert (told["total_episodes"], told["completed"], told["failed"], told["damaged"]) == (3, 2, 1, 0)
    assert (told["total_tokens_used"], told["total_changes_proposed"], told["total_changes_accepted"]) == (13, 6, 3)
    empty = logger.get_run_summary("nobody")
    assert (empty["total_episodes"], empty["total_tokens_used"]) == (0, 0)


def test_what_is_not_open_cannot_be_written_to(logger: EpisodeLogger) -> None:
    assert logger.log_action("x", {}) is False
    assert logger.update_metrics(llm_calls=1) is False
    with pytest.raises(ConfigError, match="no episode is open"):
        logger.complete_episode()
    logger.start_episode("run", 1, "x")
    with pytest.raises(BusyError, match=f"process {os.getpid()}"):
        EpisodeLogger(logger.files.folder).start_episode("run", 1, "x")
    with pytest.raises(ConfigError, match="'tokens' is no metric"):
        logger.update_metrics(tokens=1)
    for bad in (-1, math.nan, math.inf, "3", True, 0.5):
        with pytest.raises(ConfigError, match="is no increment"):
            logger.update_metrics(llm_calls=bad)  # type: ignore[arg-type]
    logger.complete_episode()
    for call in (
        lambda: logger.start_episode("run", 1, "again"),
        lambda: logger.log_action("x", {}, episode_id="run_ep0001"),
        lambda: logger.complete_episode(episode_id="run_ep0001"),
    ):
        with pytest.raises(ConfigError, match=r"already|not open"):
            call()
    with pytest.raises(NotFoundError):
        logger.log_action("x", {}, episode_id="run_ep0002")
    assert logger.load_episode("run_ep0001").metrics == EpisodeMetrics()


@pytest.mark.parametrize(
    "bad", ["", "../x", "a/b", "/etc/passwd", ".hidden", "a b", "a\n", "ä", "x" * 121, "a\\b", None]
)
def test_names_that_are_paths_are_refused(logger: EpisodeLogger, bad: Any) -> None:
    for call in (
        lambda: logger.start_episode(bad, 1, "x"),
        lambda: logger.list_episodes(bad),
        lambda: logger.get_run_summary(bad),
        lambda: logger.load_episode(bad),
        lambda: logger.load_episode(f"{bad}_ep0001"),
        lambda: logger.log_action("x", {}, episode_id=f"{bad}_ep0001"),
    ):
        if bad is None and call.__code__.co_consts and "_ep0001" in call.__code__.co_consts:
            continue  # `None_ep0001` is a name like any other
        with pytest.raises(ConfigError):
            call()
    assert not logger.files.folder.exists()


@pytest.mark.parametrize("number", [-1, 1.0, True, "1", 10**9])
def test_numbers_that_are_none_are_refused(logger: EpisodeLogger, number: Any) -> None:
    with pytest.raises(ConfigError, match="no episode number"):
        logger.start_episode("run", number, "x")


@pytest.mark.parametrize("episode_id", ["run_ep1", "run_ep00001", "run-ep0001", "run_ep0001.json", "run_ep0001\n"])
def test_an_episode_has_one_id_only(episode_id: str) -> None:
    with pytest.raises(ConfigError, match="no episode id"):
        parts_of_episode_id(episode_id)


@given(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,40}\Z"), st.integers(0, 999_999_999))
def test_an_episode_id_gives_back_its_parts(run_id: str, number: int) -> None:
    assert parts_of_episode_id(episode_id_of(run_id, number)) == (run_id, number)


# ------------------------------------------------------------------------- round trip

plain_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
).map(lambda value: json.loads(json.dumps(value).encode("utf-8", "replace")))
entries = st.lists(
    st.fixed_dictionaries({"type": st.text(max_size=9), "at": st.floats(0, 2e9), "data": plain_json}), max_size=4
)
objects = st.dictionaries(st.text("abc", max_size=4), plain_json, max_size=4)
counts = st.integers(0, 10**12)
metrics = st.builds(
    EpisodeMetrics,
    **{name: st.floats(0, 1e12) if name == "inference_time_ms" else counts for name in EpisodeMetrics.model_fields},
)


@given(
    run=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z"),
    number=st.integers(0, 99_999),
    parts=st.fixed_dictionaries(
        {
            "started_at": st.floats(0, 2e9),
            "completed_at": st.none() | st.floats(0, 2e9),
            "status": st.sampled_from(["completed", "failed", "interrupted"]),
            "task_description": st.text().map(lambda text: text.encode("utf-8", "replace").decode()),
            "context": objects,
            "actions": entries,
            "outcomes": entries,
            "metrics": metrics,
            "metadata": objects,
        }
    ),
)
@settings(max_examples=60, deadline=None)
def test_an_episode_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, run: str, number: int, parts: dict[str, Any]
) -> None:
    logger = EpisodeLogger(tmp_path_factory.mktemp("episodes"))
    episode = TrainingEpisode(episode_id=episode_id_of(run, number), run_id=run, episode_number=number, **parts)
    logger.replace(episode)
    assert logger.load_episode(episode.episode_id) == episode
    assert raw(logger, episode.episode_id) == episode.model_dump(mode="json")


weird = st.recursive(
    st.floats()
    | st.text()
    | st.binary(max_size=9)
    | st.integers()
    | st.sets(st.integers(), max_size=3)
    | st.builds(object),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.tuples(st.text(), weird), max_size=5), st.text(), weird)
@settings(max_examples=60, deadline=None)
def test_whatever_is_logged_is_json_and_nothing_of_it_is_lost(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, Any]], description: str, context: Any
) -> None:
    logger = EpisodeLogger(tmp_path_factory.mktemp("episodes"))
    logger.start_episode("run", 1, description, context={"given": context})
    for name, data in told:
        assert logger.log_action(name, data)
    running = logger.load_episode("run_ep0001")
    ended = logger.complete_episode()
    assert len(ended.actions) == len(told)
    assert ended.actions == running.actions
    assert "torn_entries" not in ended.metadata

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    json.loads(logger.files.path("run_ep0001").read_bytes(), parse_constant=refuse)


def test_large_and_secret_data_is_cut(logger: EpisodeLogger) -> None:
    logger.start_episode("run", 1, "x", metadata={"api_key": "very-secret-word"})
    key = "ghp_" + "a1b2" * 9
    logger.log_action("llm_generation", {"prompt": "long " * 100_000, "model": "m", "token": "tok-secret-99"})
    logger.log_action("embedding_generation", {"text": "y" * 1_990 + f" {key} " + "z" * 9_000, "model": "m"})
    logger.log_action("rag_query", {"query": "q", "results": list(range(100_000)), "collection": "lessons"})
    logger.log_action("huge", {str(n): "w" * 1_999 for n in range(50)})
    logger.complete_episode()
    text = logger.files.path("run_ep0001").read_text()
    assert len(text) < 10_000
    for secret in (key, key[:12], "tok-secret-99", "very-secret-word"):
        assert secret not in text
    assert "(cut" in text


# ------------------------------------------------------------------- threads and tasks


def test_threads_hammer_one_episode(logger: EpisodeLogger) -> None:
    logger.start_episode("run", 1, "hammered")
    gate, each = threading.Barrier(8), 60

    def hammer(name: int) -> None:
        gate.wait()
        for number in range(each):
            assert logger.log_action(f"t{name}", {"number": number, "text": "x" * (number * 97 % 6_000)})
            assert logger.update_metrics(tokens_used=number, llm_calls=1)
            if number % 20 == 0:
                logger.load_episode("run_ep0001")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    ended = logger.complete_episode()
    for name in range(8):
        assert [a["data"]["number"] for a in ended.actions if a["type"] == f"t{name}"] == list(range(each))
    assert (ended.metrics.llm_calls, ended.metrics.tokens_used) == (8 * each, 8 * sum(range(each)))
    assert "torn_entries" not in ended.metadata


def test_completing_while_threads_log_loses_nothing_that_was_acknowledged(logger: EpisodeLogger) -> None:
    logger.start_episode("run", 1, "x")
    gate, acknowledged, refused = threading.Barrier(5), [0] * 4, list[str]()

    def hammer(name: int) -> None:
        gate.wait()
        try:
            while logger.log_action("x", {}, episode_id="run_ep0001", increments={"llm_calls": 1}):
                acknowledged[name] += 1
        except ConfigError as error:
            refused.append(error.what)

    threads = [threading.Thread(target=hammer, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    gate.wait()
    while sum(acknowledged) < 50:
        pass
    ended = logger.complete_episode(episode_id="run_ep0001")
    for thread in threads:
        thread.join()
    assert len(ended.actions) == ended.metrics.llm_calls == sum(acknowledged)
    assert refused == ["episode run_ep0001 is not open"] * 4


def test_many_threads_with_episodes_of_their_own(logger: EpisodeLogger) -> None:
    gate = threading.Barrier(6)

    def work(number: int) -> None:
        gate.wait()
        logger.start_episode("run", number, "mine")  # no id from here on: each thread means its own
        for _ in range(20):
            logger.log_action("mine", {"number": number})
        logger.complete_episode()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    for number in range(6):
        told = logger.load_episode(f"run_ep{number:04d}")
        assert [a["data"]["number"] for a in told.actions] == [number] * 20


def test_one_of_many_starts_of_the_same_episode_wins(logger: EpisodeLogger) -> None:
    gate = threading.Barrier(6)

    def begin(_: int) -> bool:
        gate.wait()
        try:
            EpisodeLogger(logger.files.folder).start_episode("run", 1, "x")
        except BusyError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(begin, range(6))) == 1


def test_tasks_mean_their_own_episode(logger: EpisodeLogger) -> None:
    async def work(number: int) -> None:
        logger.start_episode("run", number, "x")
        for _ in range(3):
            await asyncio.sleep(0)
            await asyncio.to_thread(logger.log_action, "mine", {"number": number})
        logger.complete_episode()

    async def main() -> None:
        await asyncio.gather(*(work(number) for number in range(5)))

    asyncio.run(main())
    for number in range(5):
        told = logger.load_episode(f"run_ep{number:04d}")
        assert [a["data"]["number"] for a in told.actions] == [number] * 3


def test_a_thread_that_could_mean_several_must_say_which(logger: EpisodeLogger) -> None:
    for number in (1, 2):
        logger.start_episode("run", number, "x")
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(ConfigError, match="2 episodes are open"):
            pool.submit(logger.log_action, "x", {}).result()
        assert pool.submit(logger.log_action, "x", {}, episode_id="run_ep0001").result()


# -------------------------------------------------------------------------- processes


def test_several_processes_log_into_one_episode(logger: EpisodeLogger) -> None:
    logger.start_episode("run", 1, "shared")
    each = 150
    workers = [
        subprocess.Popen([*WORKER, str(logger.files.folder), "join", "run_ep0001", f"w{n}", str(each)])
        for n in range(3)
    ]
    for number in range(each):
        logger.log_action("mine", {"number": number})
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    ended = logger.complete_episode()
    for name in ("w0", "w1", "w2", "mine"):
        assert [a["data"]["number"] for a in ended.actions if a["type"] == name] == list(range(each))
    assert (ended.metrics.llm_calls, ended.metrics.tokens_used) == (3 * each, 3 * sum(range(each)))


def test_a_forked_child_logs_into_the_episode_of_its_parent(logger: EpisodeLogger) -> None:
    logger.start_episode("run", 1, "forked")
    busy = threading.Event()

    def keep_logging() -> None:
        while not busy.is_set():
            logger.log_action("parent", {})

    thread = threading.Thread(target=keep_logging)  # so that a fork may fall into the middle of a call
    thread.start()
    children = []
    for _ in range(25):
        pid = os.fork()
        if pid == 0:
            try:
                for number in range(8):
                    logger.log_action("child", {"number": number}, increments={"llm_calls": 1})
            finally:
                os._exit(0)
        children.append(pid)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    busy.set()
    thread.join()
    ended = logger.complete_episode()
    assert ended.metrics.llm_calls == 25 * 8
    assert sorted(a["data"]["number"] for a in ended.actions if a["type"] == "child") == sorted([*range(8)] * 25)


@pytest.mark.parametrize("seed", range(6))
def test_killed_in_the_middle_it_says_so_and_keeps_all_that_was_acknowledged(logger: EpisodeLogger, seed: int) -> None:
    rng = random.Random(seed)
    worker = subprocess.Popen([*WORKER, str(logger.files.folder), "run", "100000"], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "started\n"
    for _ in range(rng.randrange(0, 400)):
        worker.stdout.readline()
    os.kill(worker.pid, signal.SIGKILL)
    rest, _ = worker.communicate()
    acknowledged = int(rest.split("\n")[-2]) + 1 if rest.count("\n") else 0

    told = logger.load_episode("run_ep0001")

    assert told.status == "interrupted"
    assert told.completed_at is None
    numbers = [action["data"]["number"] for action in told.actions]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= acknowledged
    assert told.metrics.llm_calls == len(numbers)
    assert raw(logger, "run_ep0001")["status"] == "interrupted"  # the file itself says so now, to any reader
    assert raw(logger, "run_ep0001")["actions"] == told.actions
    assert logger.get_run_summary("run")["interrupted"] == 1

    again = logger.start_episode("run", 1, "gone on with")
    logger.log_action("step", {"number": len(numbers)})
    ended = logger.complete_episode()
    assert (again.status, again.started_at) == ("running", told.started_at)
    assert [a["data"]["number"] for a in ended.actions] == list(range(len(numbers) + 1))
    assert (ended.status, ended.metadata["resumed"]) == ("completed", 1)


def test_a_living_process_is_not_interrupted(logger: EpisodeLogger) -> None:
    worker = subprocess.Popen([*WORKER, str(logger.files.folder), "run", "100000"], stdout=subprocess.PIPE, text=True)
    try:
        assert worker.stdout is not None
        worker.stdout.readline()
        assert logger.load_episode("run_ep0001").status == "running"
        with pytest.raises(BusyError, match=str(worker.pid)):
            logger.start_episode("run", 1, "mine")
        with pytest.raises(BusyError, match=str(worker.pid)):
            logger.replace(logger.load_episode("run_ep0001"))
    finally:
        worker.kill()
        worker.communicate()


def test_a_line_torn_by_a_kill_spoils_no_other(logger: EpisodeLogger) -> None:
    logger.start_episode("run", 1, "x")
    logger.log_action("first", {})
    with logger.files.journal("run_ep0001", 0).open("ab") as journal:
        journal.write(b'\n{"kind":"action","type":"torn","at":1.0,"da')
    logger.log_action("second", {})
    told = logger.load_episode("run_ep0001")
    assert [action["type"] for action in told.actions] == ["first", "second"]
    assert told.metadata["torn_entries"] == 1


def test_killed_between_the_whole_file_and_the_end_of_its_journal_nothing_counts_twice(logger: EpisodeLogger) -> None:
    logger.start_episode("run", 1, "x")
    logger.log_action("once", {}, increments={"llm_calls": 1})
    journal = logger.files.journal("run_ep0001", 0)
    lines = journal.read_bytes()
    tear(logger, "run_ep0001")
    assert logger.load_episode("run_ep0001").status == "interrupted"
    journal.write_bytes(lines)  # as it lies there after such a kill
    assert logger.load_episode("run_ep0001").metrics.llm_calls == 1
    EpisodeLogger(logger.files.folder).start_episode("run", 1, "x")
    assert len(logger.load_episode("run_ep0001").actions) == 1


# ------------------------------------------------------------------------------ faults


def test_a_full_disk_is_one_clear_error_and_loses_nothing(disk: Any) -> None:
    logger = EpisodeLogger(disk.path / "episodes")
    logger.start_episode("run", 1, "x")
    logger.log_action("kept", {"text": "x" * 500})
    disk.fill()
    kept, hints = 1, set[str]()
    for _ in range(40):  # the page that the journal has still takes some
        try:
            logger.log_action("perhaps", {"text": "y" * 500})
            kept += 1
        except StorageError as error:
            hints.add(error.hint)
    assert hints
    assert all("disk full" in hint for hint in hints)
    with pytest.raises(StorageError):
        logger.complete_episode()
    with pytest.raises(StorageError):
        logger.start_episode("run", 2, "x")
    assert len(logger.load_episode("run_ep0001").actions) == kept

    disk.empty()

    assert logger.log_action("after", {})
    ended = logger.complete_episode(episode_id="run_ep0001")
    assert [a["type"] for a in ended.actions] == ["kept", *["perhaps"] * (kept - 1), "after"]
    assert logger.list_episodes("run") == ["run_ep0001"]
    logger.start_episode("run", 2, "x")
    assert logger.complete_episode().status == "completed"


DAMAGE: dict[str, Any] = {
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[:150]),
    "no json": lambda path: path.write_bytes(b"\x00\xff" * 200),
    "a list": lambda path: path.write_text("[]"),
    "another's": lambda path: path.write_text(path.read_text().replace('"run_id":"run"', '"run_id":"ran"')),
    "a path": lambda path: path.write_text(path.read_text().replace('"run_id":"run"', '"run_id":"../run"')),
    "from the future": lambda path: path.write_text(path.read_text().replace('"version":1', '"version":2')),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a link": lambda path: (path.rename(path.with_suffix(".moved")), path.symlink_to(path.with_suffix(".moved"))),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "deep": lambda path: path.write_text("[" * 100_000),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named_and_passed_over(logger: EpisodeLogger, damage: str) -> None:
    for number in (1, 2, 3):
        logger.start_episode("run", number, "x")
        logger.complete_episode()
    DAMAGE[damage](logger.files.path("run_ep0002"))
    assert logger.list_episodes("run") == ["run_ep0001", "run_ep0003"]
    summary = logger.get_run_summary("run")
    assert (summary["total_episodes"], summary["damaged"]) == (2, 1)
    found: dict[str, StorageError] = {}
    assert len(logger.episodes("run", found)) == 2
    assert list(found) == ["run_ep0002"]
    with pytest.raises(StorageError, match=r"run_ep0002\.json is damaged"):
        logger.load_episode("run_ep0002")
    with pytest.raises(StorageError, match="damaged"):
        logger.start_episode("run", 2, "never written over")


def test_a_damaged_file_is_set_aside_when_the_episode_is_made_again(logger: EpisodeLogger) -> None:
    logger.start_episode("run", 1, "x")
    whole = logger.complete_episode()
    logger.files.path("run_ep0001").write_text("what a person may want to look at")
    logger.replace(whole)
    assert logger.load_episode("run_ep0001") == whole
    aside = logger.files.folder / "run_ep0001.json.damaged-1"
    assert aside.read_text() == "what a person may want to look at"
    assert logger.list_episodes("run") == ["run_ep0001"]


def test_files_are_for_their_owner_only(logger: EpisodeLogger) -> None:
    logger.start_episode("run", 1, "x")
    modes = {path.stat().st_mode & 0o777 for path in logger.files.folder.iterdir()}
    assert modes == {0o600}
    assert logger.files.folder.stat().st_mode & 0o777 == 0o700


# ----------------------------------------------------------------------- shared, calls


def test_the_shared_logger_is_where_the_variables_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EPISODES_DIR", raising=False)
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path / "home"))
    assert get_episode_logger().files.folder == tmp_path / "home" / "training" / "episodes"
    monkeypatch.setenv("EPISODES_DIR", str(tmp_path / "mine"))
    shared = get_episode_logger()
    assert shared.files.folder == tmp_path / "mine"
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: get_episode_logger(), range(32))) == {shared}
    assert get_episode_logger(tmp_path / "mine") is shared


def test_calls_are_logged_with_their_fields_times_and_errors(logger: EpisodeLogger) -> None:
    logger.start_episode("run", 1, "x")
    with rag_query("slow loops", collection="lessons", logger=logger) as query:
        query.results = ["l-1", "l-2"]
    with llm_generation("propose@3", model="llama3.2", backend="ollama", logger=logger) as call:
        call.tokens = 120
    with embedding_generation("some text", model="all-MiniLM-L6-v2", logger=logger):
        pass
    with pytest.raises(TimeoutError), llm_generation("propose@3", model="m", backend="b", logger=logger):
        raise TimeoutError("too slow")
    told = logger.complete_episode()
    data = [{k: v for k, v in action["data"].items() if k != "duration_ms"} for action in told.actions]
    assert [(a["type"], d) for a, d in zip(told.actions, data, strict=True)] == [
        ("rag_query", {"query": "slow loops", "collection": "lessons", "results": ["l-1", "l-2"]}),
        ("llm_generation", {"prompt": "propose@3", "model": "llama3.2", "backend": "ollama", "tokens": 120}),
        ("embedding_generation", {"text": "some text", "model": "all-MiniLM-L6-v2"}),
        (
            "llm_generation",
            {"prompt": "propose@3", "model": "m", "backend": "b", "tokens": 0, "error": "TimeoutError: too slow"},
        ),
    ]
    assert all(action["data"]["duration_ms"] >= 0 for action in told.actions)
    metrics = told.metrics
    assert (metrics.rag_queries, metrics.llm_calls, metrics.tokens_used, metrics.error_count) == (1, 2, 120, 1)
    assert metrics.inference_time_ms > 0


def test_calls_outside_of_an_episode_do_nothing(logger: EpisodeLogger) -> None:
    with rag_query("q", logger=logger) as query:
        query.results = [1]
    assert not logger.files.folder.exists()


def test_trouble_with_the_log_never_reaches_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    logger = EpisodeLogger(tmp_path / "episodes")
    logger.start_episode("run", 1, "x")
    logger.files.path("run_ep0001").write_text("damaged")
    logger.files.journal("run_ep0001", 0).unlink()
    with rag_query("q", logger=logger) as query:
        query.results = ["the work goes on"]
    assert query.results == ["the work goes on"]


def test_the_example_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EPISODES_DIR", str(tmp_path))
    text = (Path(__file__).parents[2] / "docs" / "episodes.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(example, "docs/episodes.md", "exec"), {})
    assert capsys.readouterr().out == "812\n"
    told = EpisodeLogger(tmp_path).load_episode("nightly_ep0001")
    assert [a["type"] for a in told.actions] == ["embedding_generation", "rag_query", "llm_generation"]
    assert (told.metrics.llm_calls, told.metrics.rag_queries, told.metrics.changes_proposed) == (1, 1, 1)
