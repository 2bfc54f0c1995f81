"""What the log of episodes costs: a write, a read, beginning and ending an episode, and a campaign's cycle.

    python benchmarks/episodes.py [--episodes 300] [--folder DIR]

An episode here is as long as a typical cycle of a campaign (24 entries, about 5 KB).  Medians and 95th percentiles, by
the clock of the wall, and the time of the processor beside them: making a file waits for the disk's journal.
Reference: write 5 ms, read 10 ms; aimed at: a tenth of both.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from memory.episodes import EpisodeLogger

WRITE_MS, READ_MS = 5.0, 10.0
PROPOSAL = {
    "proposal": "p-83892e95c3",
    "proposer": "bayes",
    "config": {"features": "waves", "learning_rate": 0.0065, "epochs": 42, "weight_decay": 1.66e-06},
    "expected_score": 0.781436,
}
VOTES = {"proposal": "p-83892e95c3", "score": 0.48, "votes": {"world_model": 0.51, "novelty": 0.37, "constraints": 1.0}}
CALL = {"prompt": "proposers/idea@3", "model": "llama3.2", "backend": "ollama", "tokens": 812, "duration_ms": 1041.2}
JOB = {"job": "j-3f9a12bc04", "status": "ok", "metrics": {"accuracy": 0.98, "loss": 0.11}, "duration_s": 1.42}
TEXT = "a prompt that is given with its whole text, " * 46


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--episodes", type=int, default=300)
    arguments.add_argument("--folder", type=Path, help="on which disk (default: that of temporary files)")
    told = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=told.folder) as place:
        run(EpisodeLogger(Path(place) / "episodes"), told.episodes)


def run(logger: EpisodeLogger, episodes: int) -> None:
    taken: dict[str, list[tuple[float, float]]] = {}

    def timed(name: str, work: Callable[[], Any]) -> None:
        wall, processor = time.perf_counter(), time.thread_time()
        work()
        took = (1e3 * (time.perf_counter() - wall), 1e3 * (time.thread_time() - processor))
        taken.setdefault(name, []).append(took)

    for number in range(episodes):
        one_episode(logger, number, timed)
    for number in range(episodes):
        episode_id = f"run_ep{number:04d}"
        timed("read an episode", lambda: logger.load_episode(episode_id))  # noqa: B023  # called at once
    timed(f"sums of {episodes} episodes", lambda: logger.get_run_summary("run"))
    size = logger.files.path("run_ep0000").stat().st_size
    print(f"an episode of {len(logger.load_episode('run_ep0000').actions)} actions, {size / 1e3:.1f} KB")
    for name, both in taken.items():
        print(f"{name}: {_middle([w for w, _ in both])}; of the processor {_middle([c for _, c in both])}")
    threads(logger)

    writes, reads = statistics.median([w for w, _ in taken["write an action"]]), taken["read an episode"]
    read = statistics.median([w for w, _ in reads])
    print(f"against the reference: a write {writes:.3f} ms to {WRITE_MS:g}, a read {read:.3f} ms to {READ_MS:g}")
    if writes > WRITE_MS / 10 or read > READ_MS / 10:
        raise SystemExit("not ten times better than the reference")


def one_episode(logger: EpisodeLogger, number: int, timed: Callable[[str, Callable[[], Any]], None]) -> None:
    timed("begin an episode", lambda: logger.start_episode("run", number, "make it better", context={"seed": 0}))
    for _ in range(6):
        for name, data in (("proposal", PROPOSAL), ("votes", VOTES), ("llm_generation", CALL)):
            timed("write an action", lambda: logger.log_action(name, data, increments={"llm_calls": 1}))  # noqa: B023
        timed("write an outcome", lambda: logger.log_outcome("job", JOB))
    if number % 10 == 0:
        timed("read an open one", lambda: logger.load_episode(f"run_ep{number:04d}"))
    timed("end an episode", logger.complete_episode)
    if number % 10 == 0:
        logger.start_episode("texts", number, "long texts")
        timed("write a text of 2 KB", lambda: logger.log_action("llm_generation", {"prompt": TEXT, "model": "m"}))
        logger.complete_episode()


def threads(logger: EpisodeLogger, count: int = 8, each: int = 500) -> None:
    """All writing into one episode."""
    logger.start_episode("threads", 0, "hammered")

    def work(_: int) -> None:
        for _ in range(each):
            logger.log_action("votes", VOTES, episode_id="threads_ep0000")

    began = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))
    rate = count * each / (time.perf_counter() - began)
    assert len(logger.complete_episode().actions) == count * each
    print(f"{count} threads into one episode: {rate:,.0f} actions a second")


def _middle(took: list[float]) -> str:
    if len(took) == 1:
        return f"{took[0]:.1f} ms"
    return f"{statistics.median(took):.3f} ms, 95 % below {sorted(took)[int(0.95 * (len(took) - 1))]:.3f} ms"


if __name__ == "__main__":
    main()
