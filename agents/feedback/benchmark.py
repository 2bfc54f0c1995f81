"""What the loop brings: rewards of a file over its rounds, two sets of rounds compared, and a set of hard files.

A difference is stated with a paired bootstrap interval; one whose interval holds 0 is no difference.
"""

from __future__ import annotations

import random
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agents.feedback.records import IterationRecord
from core.errors import ConfigError

__all__ = [
    "AdaptiveFeedbackBenchmark",
    "BenchmarkReport",
    "Comparison",
    "FeedbackBenchmark",
    "RewardSummary",
    "RunEntry",
    "paired_bootstrap",
]

METRICS = ("coverage", "accuracy", "coherence", "formatting")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class RewardSummary(_Record):
    mean: float
    first: float
    last: float
    delta: float


class BenchmarkReport(_Record):
    """Rounds of one file. `top_issues` are (kind, how many rounds have it), the five commonest."""

    path: str
    iterations: int
    reward: RewardSummary
    metrics: dict[str, float]
    top_issues: tuple[tuple[str, int], ...]


class Comparison(_Record):
    """Candidate against baseline over the files that both have: mean difference of the best rewards, 95 % interval."""

    files: int
    baseline: float
    candidate: float
    delta: float
    low: float
    high: float
    verdict: Literal["better", "worse", "no difference"]


class FeedbackBenchmark:
    """Reports over finished rounds; `records` may grow by `add`."""

    def __init__(self, records: Iterable[IterationRecord] = ()) -> None:
        self._records = list(records)

    def add(self, record: IterationRecord) -> None:
        self._records.append(record)

    def report(self, path: str, limit: int = 30) -> BenchmarkReport:
        """The last `limit` rounds of a file. ConfigError when there are none, or when `limit` is below 1."""
        if limit < 1:
            raise ConfigError(f"limit is {limit}", where="FeedbackBenchmark.report", hint="give 1 or more")
        records = [record for record in self._records if record.path == path][-limit:]
        if not records:
            raise ConfigError("no rounds of this file are known", where=path, hint="run the feedback loop on it first")
        rewards = [record.discriminator_score.reward for record in records]
        kinds = Counter(kind for record in records for kind in {i.kind for i in record.discriminator_score.issues})
        return BenchmarkReport(
            path=path,
            iterations=len(records),
            reward=RewardSummary(
                mean=statistics.fmean(rewards), first=rewards[0], last=rewards[-1], delta=rewards[-1] - rewards[0]
            ),
            metrics={
                name: statistics.fmean(getattr(record.discriminator_score, name) for record in records)
                for name in METRICS
            },
            top_issues=tuple(sorted(kinds.items(), key=lambda item: (-item[1], item[0]))[:5]),
        )

    def compare(
        self,
        baseline_records: Sequence[IterationRecord],
        candidate_records: Sequence[IterationRecord],
        *,
        seed: int = 0,
    ) -> Comparison:
        """Best rewards file by file. ConfigError when the two sets share no file."""
        baseline, candidate = _best(baseline_records), _best(candidate_records)
        shared = sorted(baseline.keys() & candidate.keys())
        if not shared:
            raise ConfigError(
                "the two sets have no file in common",
                where="FeedbackBenchmark.compare",
                hint="run both over the same files",
            )
        differences = [candidate[path] - baseline[path] for path in shared]
        low, high = paired_bootstrap(differences, seed=seed)
        return Comparison(
            files=len(shared),
            baseline=statistics.fmean(baseline[path] for path in shared),
            candidate=statistics.fmean(candidate[path] for path in shared),
            delta=statistics.fmean(differences),
            low=low,
            high=high,
            verdict="better" if low > 0 else "worse" if high < 0 else "no difference",
        )


def _best(records: Iterable[IterationRecord]) -> dict[str, float]:
    best: dict[str, float] = {}
    for record in records:
        best[record.path] = max(best.get(record.path, 0.0), record.discriminator_score.reward)
    return best


def paired_bootstrap(differences: Sequence[float], *, rounds: int = 2000, seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of the mean of paired differences (Efron 1979). One pair proves nothing: (-inf, inf)."""
    if len(differences) < 2:
        return float("-inf"), float("inf")
    rng = random.Random(seed)  # noqa: S311  (resampling, not secrets)
    means = sorted(statistics.fmean(rng.choices(differences, k=len(differences))) for _ in range(rounds))
    return means[int(0.025 * rounds)], means[int(0.975 * rounds) - 1]


class RunEntry(_Record):
    """One workflow run over one file, as the adaptive benchmark keeps it."""

    path: str
    reward: float
    reward_delta: float
    guidance_count: int
    log: str


class AdaptiveFeedbackBenchmark:
    """Fed by every workflow run; proposes the files to run again.

    The mean of only the hardest files moves by selection (the unlucky ones come back up by themselves), so a frozen
    control set stands beside them: it is drawn once and never changes.
    """

    def __init__(self, entries: Iterable[RunEntry] = (), *, control: Sequence[str] = (), seed: int = 0) -> None:
        self._entries = list(entries)
        self._control = list(control)
        self._rng = random.Random(seed)  # noqa: S311

    def record_run(self, path: str, *, reward: float, reward_delta: float, guidance_count: int, log: str) -> None:
        self._entries.append(
            RunEntry(path=path, reward=reward, reward_delta=reward_delta, guidance_count=guidance_count, log=log)
        )

    @property
    def entries(self) -> tuple[RunEntry, ...]:
        return tuple(self._entries)

    def summary(self) -> dict[str, object]:
        """{runs, files, mean_reward, mean_delta, improved, guidance, logs}; means are None before the first run."""
        latest = self._latest()
        return {
            "runs": len(self._entries),
            "files": len(latest),
            "mean_reward": statistics.fmean(each.reward for each in latest.values()) if latest else None,
            "mean_delta": statistics.fmean(each.reward_delta for each in self._entries) if self._entries else None,
            "improved": sum(each.reward_delta > 0 for each in self._entries),
            "guidance": sum(each.guidance_count for each in self._entries),
            "logs": [each.log for each in self._entries[-5:]],
        }

    def build_challenge_set(self, size: int = 10, candidates: Sequence[str] = ()) -> dict[str, list[str]]:
        """{toughest, fresh, control}: 70 % of `size` the lowest latest rewards, 30 % files of `candidates` never run,
        and the control set, frozen at the first call at a quarter of `size` (at least 1).

        Where fresh files are too few the toughest fill up, and the other way round. A file is in one list only.
        """
        latest = self._latest()
        if not self._control and latest:
            names = sorted(latest)
            self._control = sorted(self._rng.sample(names, min(len(names), max(1, size // 4))))
        control = set(self._control)
        known = sorted((each for each in latest.values() if each.path not in control), key=lambda e: (e.reward, e.path))
        unseen = [path for path in dict.fromkeys(candidates) if path not in latest and path not in control]
        fresh = unseen[: max(size - round(0.7 * size), size - len(known))]
        toughest = [each.path for each in known[: size - len(fresh)]]
        return {"toughest": toughest, "fresh": fresh, "control": list(self._control)}

    def _latest(self) -> dict[str, RunEntry]:
        return {each.path: each for each in self._entries}
