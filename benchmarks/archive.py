"""What one iteration of the search over code costs in keeping: choose parents, add to the archive, store.

    OMP_NUM_THREADS=1 python benchmarks/archive.py [--repeats 5] [--window 20]

Simulated candidates with a diff of about two kilobytes, four axes of four learned bins in the archive, a SQLite ledger
in a temporary folder.  Each iteration asks the bandit for an operator, chooses two parents and a pair to recombine,
stores the candidate and adds it to the archive.  Prints the median CPU milliseconds of the iterations around each count
(the smallest median of the repeats), the growth since ten, what it costs a new process to load all, and the bytes a
candidate takes on disk.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from memory.candidates import CandidateRow, Candidates
from memory.state_folder import StateFolder
from search.bandit import Bandit
from search.descriptors import axes
from search.elites import Archive, Candidate

SIZES = (10, 100, 500, 5000)
OPERATORS = ("hoist", "memoise", "vectorise", "rewrite", "recombine", "tune")
AXES = {"change_size": 4, "complexity": 4, "lines": 4, "metric:memory": 4}


def diff(rng: np.random.Generator, words: list[str]) -> str:
    """About two kilobytes of changed lines, which compress as code does."""
    lines = [f"{'+-'[int(rng.integers(2))]}    {' '.join(rng.choice(words, 6))}" for _ in range(45)]
    return "--- a/module.py\n+++ b/module.py\n@@ -1,45 +1,45 @@\n" + "\n".join(lines) + "\n"


def row(rng: np.random.Generator, campaign_id: str, number: int, parents: tuple[str, ...]) -> CandidateRow:
    failed = rng.random() < 0.3
    return CandidateRow(
        id=f"c-{campaign_id}-{number:06d}",
        campaign_id=campaign_id,
        cycle=number // 4,
        operator=OPERATORS[number % len(OPERATORS)],
        status="failed" if failed else "measured",
        score=None if failed else float(rng.normal()),
        parents=parents,
        strategy="exploit",
        measures={} if failed else {name: float(rng.lognormal()) for name in AXES},
        touched=tuple(f"module.py:function_{i}" for i in rng.integers(40, size=3)),
        reason="2 of 40 tests failed: test_module.py::test_function_7" if failed else "",
    )


def told(archive: Archive, bandit: Bandit, kept: CandidateRow) -> None:
    archive.add(
        Candidate(
            kept.id, kept.score, kept.measures, kept.novelty, kept.operator, kept.parents, frozenset(kept.touched)
        )
    )
    bandit.tell(kept.operator, max(kept.score or 0.0, 0.0))


class Search:
    """One run: the archive and the bandit of a campaign, and the ledger that keeps them."""

    def __init__(self, candidates: Candidates, campaign_id: str, seed: int) -> None:
        self.candidates, self.campaign_id = candidates, campaign_id
        self.archive, self.bandit = Archive(*axes(AXES)), Bandit(OPERATORS)
        self.rng = np.random.default_rng(seed)
        self.words = [f"name_{i}" for i in range(30)] + [
            "=",
            "+",
            "(",
            ")",
            "for",
            "in",
            "return",
            "if",
            "self.",
            "[i]",
        ]
        self.count = 0

    def step(self) -> float:
        """One iteration; CPU milliseconds without those of making the candidate up."""
        parents = tuple(e.id for e in self.archive.parents(self.rng, 1))
        made = row(self.rng, self.campaign_id, self.count, parents)
        text = diff(self.rng, self.words)
        self.count += 1
        start = time.process_time()
        self.bandit.ask(self.rng, ["rewrite", "hoist"])
        self.archive.parents(self.rng, 2, in_flight=parents)
        self.archive.inspirations(self.rng, 1)
        self.candidates.add(made, text)
        told(self.archive, self.bandit, made)
        return 1e3 * (time.process_time() - start)

    def load(self) -> float:
        """CPU milliseconds of rebuilding archive and bandit from the ledger, as a new process does."""
        start = time.process_time()
        archive, bandit = Archive(*axes(AXES)), Bandit(OPERATORS)
        for kept in self.candidates.of(self.campaign_id):
            told(archive, bandit, kept)
        took = 1e3 * (time.process_time() - start)
        assert archive.elites() == self.archive.elites()
        assert bandit.rates() == self.bandit.rates()
        return took


def measure(window: int, seed: int) -> dict[int, tuple[float, float, float, int]]:
    """Around each count: CPU ms of an iteration and of loading, bytes a candidate, and the elites."""
    out = {}
    with tempfile.TemporaryDirectory() as home:
        folder = StateFolder(Path(home))
        with folder.open_ledger() as ledger:
            candidates = folder.open_candidates(ledger)
            warm = Search(candidates, "warm-1", seed)
            for _ in range(100):  # what is compiled and cached at the first calls is no cost of the tenth candidate
                warm.step()
            before = ledger_bytes(folder)
            search = Search(candidates, "fast-1", seed)
            for size in SIZES:
                while search.count < size - window // 2:
                    search.step()
                ms = statistics.median(search.step() for _ in range(window))
                size_bytes = (ledger_bytes(folder) - before) / search.count
                out[size] = (ms, search.load(), size_bytes, len(search.archive))
    return out


def ledger_bytes(folder: StateFolder) -> int:
    """The database and the artifacts, after SQLite has written its log back."""
    with folder.open_ledger() as ledger, ledger.database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    artifacts = folder.artifacts.folder
    files = [Path(folder.ledger_url), *(p for p in artifacts.rglob("*") if p.is_file())]
    return sum(p.stat().st_size for p in files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--window", type=int, default=20, help="iterations around each count that are measured")
    a = parser.parse_args()
    runs = [measure(a.window, seed) for seed in range(a.repeats)]
    print("| candidates | an iteration | since 10 | elites | loading all | a candidate on disk |")
    print("|---|---|---|---|---|---|")
    first = min(run[SIZES[0]][0] for run in runs)
    for size in SIZES:
        ms = min(run[size][0] for run in runs)
        loading, size_bytes, elites = (statistics.median(run[size][i] for run in runs) for i in (1, 2, 3))
        cells = f"{ms:.2f} ms | × {ms / first:.2f} | {elites:.0f} | {loading:.0f} ms | {size_bytes / 1000:.1f} kB"
        print(f"| {size} | {cells} |")


if __name__ == "__main__":
    main()
