"""Reports, comparisons with an interval, and a challenge set that follows the files' progress."""

from __future__ import annotations

import pytest

from agents.feedback.benchmark import AdaptiveFeedbackBenchmark, Comparison, FeedbackBenchmark, paired_bootstrap
from agents.feedback.loop import CodeFeedbackLoop
from agents.feedback.records import IterationRecord
from core.errors import ConfigError

CODE = "def add_item(items, item):\n    if item is None:\n        raise ValueError('no item')\n    items.append(item)\n"


def rounds(path: str, *rewards: float) -> list[IterationRecord]:
    base = CodeFeedbackLoop().run_iteration(path, CODE)
    return [
        base.model_copy(
            update={
                "iteration": n,
                "discriminator_score": base.discriminator_score.model_copy(update={"reward": reward}),
            }
        )
        for n, reward in enumerate(rewards)
    ]


def test_report_of_the_last_rounds():
    bench = FeedbackBenchmark(rounds("a.py", 0.1, 0.4, 0.6) + rounds("b.py", 0.9))
    report = bench.report("a.py", limit=2)
    assert (report.iterations, report.reward.first, report.reward.last) == (2, 0.4, 0.6)
    assert report.reward.delta == pytest.approx(0.2)
    assert report.reward.mean == pytest.approx(0.5)
    assert set(report.metrics) == {"coverage", "accuracy", "coherence", "formatting"}
    assert len(report.top_issues) <= 5
    assert report.top_issues[0][1] == 2


def test_a_report_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="no rounds"):
        FeedbackBenchmark().report("a.py")
    with pytest.raises(ConfigError, match="limit"):
        FeedbackBenchmark(rounds("a.py", 0.1)).report("a.py", limit=0)


def test_a_difference_is_claimed_only_when_the_interval_leaves_zero_out():
    bench = FeedbackBenchmark()
    names = [f"{n}.py" for n in range(8)]
    low = [record for name in names for record in rounds(name, 0.3)]
    high = [record for n, name in enumerate(names) for record in rounds(name, 0.5 + 0.01 * n)]
    mixed = [record for n, name in enumerate(names) for record in rounds(name, 0.3 + (0.1 if n % 2 else -0.1))]
    assert bench.compare(low, high).verdict == "better"
    assert bench.compare(high, low).verdict == "worse"
    assert bench.compare(low, mixed).verdict == "no difference"
    alone = bench.compare(low[:1], high[:1])
    assert alone.verdict == "no difference"
    assert Comparison.model_validate_json(alone.model_dump_json()) == alone
    with pytest.raises(ConfigError, match="no file in common"):
        bench.compare(low, rounds("other.py", 0.2))


def test_the_interval_holds_the_mean():
    differences = [0.1, 0.3, -0.1, 0.2, 0.15]
    low, high = paired_bootstrap(differences)
    assert low < sum(differences) / 5 < high


def adaptive(count: int = 20) -> AdaptiveFeedbackBenchmark:
    bench = AdaptiveFeedbackBenchmark()
    for n in range(count):
        bench.record_run(
            f"{n:02}.py", reward=n / count, reward_delta=0.1 if n % 2 else 0.0, guidance_count=1, log=f"{n}.json"
        )
    return bench


def test_the_challenge_set_is_toughest_fresh_and_control():
    bench = adaptive()
    chosen = bench.build_challenge_set(10, candidates=[f"new{n}.py" for n in range(9)])
    assert (len(chosen["toughest"]), len(chosen["fresh"]), len(chosen["control"])) == (7, 3, 2)
    assert not set(chosen["control"]) & set(chosen["toughest"])
    open_files = [f"{n:02}.py" for n in range(20) if f"{n:02}.py" not in chosen["control"]]
    assert chosen["toughest"] == open_files[:7]


def test_the_challenge_set_follows_progress_and_its_control_does_not():
    bench = adaptive()
    before = bench.build_challenge_set(10)
    bench.record_run(before["toughest"][0], reward=0.99, reward_delta=0.9, guidance_count=2, log="again.json")
    after = bench.build_challenge_set(10)
    assert before["toughest"][0] not in after["toughest"]
    assert after["control"] == before["control"]


def test_summary_counts_runs():
    assert AdaptiveFeedbackBenchmark().summary()["mean_reward"] is None
    summary = adaptive(4).summary()
    assert (summary["runs"], summary["files"], summary["improved"], summary["guidance"]) == (4, 4, 2, 4)
