"""Base and candidate in turn: one run of the benchmark each, on the same seed, until the answer is clear."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agents.judge.records import Cause, Plan, TestCount
from agents.judge.runs import run_in_tree, said
from core.ids import content_hash
from runtime.sandbox import Isolation
from search.paired import PairedAnswer, SpeedTest, order, time_noise

__all__ = ["Refused", "Timed", "time_pairs"]

QUIET_PAIRS = 5
"""Pairs of the base with itself, from which the noise is known."""
UNTOLD_SHARE = 0.25
"""Time outside what is timed may be longer than the base's by this share of the base's timed seconds."""
LEAST_SPREAD_S = 0.0005
SURE_PAIRS = 5
LEVEL = 0.95


class Refused(Exception):  # noqa: N818  # an answer, not a fault
    """The candidate is refused, for a cause of `Cause`; `tests` as far as they were counted."""

    def __init__(self, cause: Cause, reason: str, tests: TestCount | None = None) -> None:
        super().__init__(reason)
        self.cause: Cause = cause
        self.reason = reason
        self.tests = tests


@dataclass(frozen=True)
class _Run:
    metrics: dict[str, float]
    check: Any
    cpu_s: float
    wall_s: float


@dataclass
class Timed:
    """What was measured so far, by pair of (base, candidate): the seconds that they say, and the processor time of the
    whole run; the base's whole time over its processor time; and the candidate's other metrics."""

    said: list[tuple[float, float]] = field(default_factory=list)
    cpu: list[tuple[float, float]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    metrics: list[dict[str, float]] = field(default_factory=list)
    answer: PairedAnswer | None = None
    noise: float = 0.0

    @property
    def pairs(self) -> list[tuple[float, float]]:
        """The seconds that are believed: what a candidate says, but no less than the clock outside can confirm.

        With m and s the median and the spread of what the base's runs take beside their own seconds, and w how much
        waiting stretches them, a run of the candidate whose processor time is t counts as
        max(said, w (t − m − 3 s), s).
        """
        beside = [base for base, _ in self.untold]
        middle = statistics.median(beside)
        spread = max(1.4826 * statistics.median(abs(one - middle) for one in beside), LEAST_SPREAD_S)
        return [
            (base, max(said, said + self.wait * (untold - middle - 3 * spread), spread))
            for (base, said), (_, untold) in zip(self.said, self.untold, strict=True)
        ]

    @property
    def wait(self) -> float:
        """By how much waiting for the processor stretches a run here: 1 on a quiet machine.  Of the base's runs only,
        which nobody can make look busier than they were."""
        return max(1.0, statistics.median(self.waits))

    @property
    def untold(self) -> list[tuple[float, float]]:
        """Processor time beside the seconds that they say, were there no waiting: else a shorter run, which waits less,
        would seem to hide what it does not wait."""
        return [
            (cpu[0] - said[0] / self.wait, cpu[1] - said[1] / self.wait)
            for cpu, said in zip(self.cpu, self.said, strict=True)
        ]


def time_pairs(plan: Plan, isolation: Isolation, told: Callable[[Timed], None] = lambda _: None) -> Timed:
    """Pairs until the answer is clear, at most `plan.code.pairs`.  Raises Refused, and SandboxError."""
    timed = Timed()
    most = QUIET_PAIRS if plan.noise is None else plan.code.pairs
    for number in range(most):
        seed = int(content_hash(plan.seed, "workload", number)[:8], 16)
        ran = {who: _run(plan, who, seed, isolation) for who in order(number, plan.seed)}
        base, candidate = ran["baseline"], ran["candidate"]
        if candidate.check != base.check:
            raise Refused("wrong_result", "the benchmark's results are not the base's on the same seed")
        timed.said.append((base.metrics["seconds"], candidate.metrics["seconds"]))
        timed.cpu.append((base.cpu_s, candidate.cpu_s))
        timed.waits.append(base.wall_s / max(base.cpu_s, LEAST_SPREAD_S))
        timed.metrics.append(candidate.metrics)
        _check_clock(timed, min(SURE_PAIRS, most))
        if plan.noise is not None:
            timed.noise = plan.noise
            timed.answer = SpeedTest(plan.noise, 1 + plan.code.worth, LEVEL, most).answer(timed.pairs)
        told(timed)
        if timed.answer is not None and timed.answer.answer != "continue":
            break
    if plan.noise is None:
        timed.noise = time_noise(timed.pairs)
        timed.answer = SpeedTest(timed.noise, 1 + plan.code.worth, LEVEL, most).answer(timed.pairs)
    return timed


def _run(plan: Plan, who: str, seed: int, isolation: Isolation) -> _Run:
    tree = plan.base if who == "baseline" else plan.candidate
    ran = run_in_tree(plan, tree, [*plan.code.benchmark, "--seed", str(seed)], isolation)
    whose = "the base's" if who == "baseline" else "the candidate's"
    if ran.ended != "exit" or ran.exit_code != 0:
        raise Refused("benchmark", f"{whose} benchmark failed: {said(ran)}")
    result = _result(ran.stdout)
    metrics = {name: float(v) for name, v in result.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    seconds = metrics.get("seconds", math.nan)
    if not 0 < seconds < math.inf:
        raise Refused("benchmark", f"{whose} benchmark prints no JSON with `seconds` above 0: {said(ran)}")
    return _Run(
        {name: value for name, value in metrics.items() if math.isfinite(value)},
        result.get("check"),
        ran.cpu_s,
        ran.duration_s,
    )


def _result(stdout: bytes) -> dict[str, Any]:
    """The last line that is a JSON object; nothing where there is none."""
    for line in reversed(stdout.decode("utf-8", "replace").splitlines()):
        if line.strip().startswith("{"):
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                return found
    return {}


def _check_clock(timed: Timed, needed: int) -> None:
    """Raises Refused where, over enough pairs, the candidate's runs take more processor time than they say.

    More than the base's, that is, and in the median.  A candidate that lies about its time, or spends it before the
    clock starts, is not faster.
    """
    if len(timed.said) < needed:
        return
    longer = [candidate - base for base, candidate in timed.untold]
    more = statistics.median(longer)
    spread = 1.4826 * statistics.median(abs(one - more) for one in longer) / math.sqrt(len(longer))
    seconds = statistics.median(base for base, _ in timed.said)
    gained = statistics.median(base - candidate for base, candidate in timed.said)
    if len(timed.said) < SURE_PAIRS and gained < UNTOLD_SHARE * seconds:
        return  # of so few runs only a gain that is claimed is held against the clock outside
    if more > max(3 * spread, UNTOLD_SHARE * seconds / timed.wait, gained / 2 / timed.wait):
        raise Refused(
            "untimed", f"it says that it is {gained:.3g} s faster, and takes {more:.3g} s longer outside what is timed"
        )
