"""Trajectories of production: made, chosen, counted; and the threshold that uses teach."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from production_records import PATH, outcome

from agents.production import extract_plan, load_production_trajectories, quality_threshold, trajectory_of
from agents.production.threshold import AT_LEAST, Judged, lower_bound, tuned_threshold
from core.production import ProductionOutcome
from core.records import Trajectory
from memory.outcomes import OutcomeStore
from memory.transfer import Transfer

ROOT = Path(__file__).parents[3]


def load(store: OutcomeStore | None, *args: Any, **options: Any) -> list[Trajectory]:
    return asyncio.run(load_production_trajectories(*args, store=store, **options))


def keep(store: OutcomeStore, *outcomes: ProductionOutcome) -> list[ProductionOutcome]:
    kept = [store.keep_outcome(one) for one in outcomes]
    for one in kept:
        if (plan := extract_plan(one)) is not None:
            store.keep_plan(plan)
    return kept


def test_an_outcome_is_a_trajectory_with_all_its_fields() -> None:
    first, one = outcome(), outcome(1, result={"code": "x = 1\n", "metrics": {"speed": 2, "ok": True, "n": "3"}})
    one = one.model_copy(update={"learned_from": (first.id,)})
    made = trajectory_of(one)
    assert made.code_changes == "x = 1\n"
    assert made.steps == PATH
    assert made.operator == "production"
    assert made.parents == (trajectory_of(first).id,)
    assert made.test_results is not None
    assert made.test_results.model_dump(exclude={"version"}) == {
        "success": True, "execution_time": 1.5, "steps_completed": 4,
    }  # fmt: skip
    assert 0.7 < made.success_score < 0.95
    assert made.metrics == {"speed": 2.0}
    assert {"source": "production", "agent": "builder", "outcome": one.id}.items() <= made.metadata.items()
    assert Trajectory.model_validate_json(made.model_dump_json()) == made


def test_a_failure_scores_nothing_and_says_why() -> None:
    made = trajectory_of(outcome(success=False))
    assert (made.success_score, made.failure_reasons) == (0.0, ("the tests failed",))
    assert trajectory_of(outcome(success=False, failure_reasons=())).failure_reasons


@pytest.mark.parametrize("result", [None, "x = 1", ["code"], {"code": None}, {"code": 3}, {"text": "x"}, 7])
def test_a_result_without_code_gives_none(result: Any) -> None:
    assert trajectory_of(outcome(result=result)).code_changes == ""


def test_no_store_and_an_empty_one_give_nothing(store: OutcomeStore) -> None:
    assert load(None) == []
    assert load(store) == []
    keep(store, outcome())
    assert load(store, 0) == []


def test_the_best_come_first_and_failures_only_when_asked(store: OutcomeStore) -> None:
    good = outcome(1, metadata={"passed": 9, "failed": 0})
    keep(store, outcome(0), good, outcome(2, success=False), outcome(3, "qa", execution_path=("test",)))
    found = load(store)
    assert found[0].metadata["outcome"] == good.id
    assert [t.success_score for t in found] == sorted((t.success_score for t in found), reverse=True)
    assert len(found) == 3
    assert [t.success_score for t in load(store, success_only=False)][-1] == 0.0
    assert len(load(store, 2)) == 2
    assert {t.metadata["agent"] for t in load(store, agent="qa")} == {"qa"}


def test_more_than_the_limit_are_not_loaded_and_equals_once(store: OutcomeStore) -> None:
    keep(store, *(outcome(n) for n in range(14)))
    assert len(load(store)) == 10
    keep(store, *(outcome(1, started_at=5000.0 + n) for n in range(9)))
    assert len({t.code_changes for t in load(store, 30)}) == len(load(store, 30)) == 14


def test_those_most_like_the_task_in_hand(store: OutcomeStore) -> None:
    keep(store, *(outcome(n) for n in range(40)), outcome(500, task="draw a chart of quarterly sales"))
    found = load(store, 3, task="draw a chart of sales")
    assert len(found) == 3
    assert "chart" in found[0].metadata["task"]
    assert load(store, 1, task="draw a chart of sales", threshold=0.99) == []


def test_reading_of_others_is_marked(store: OutcomeStore) -> None:
    keep(store, outcome(0), outcome(1), outcome(2, "qa"))
    load(store, reader="qa")
    assert store.knowledge_transfer() == (Transfer("builder", "qa", read=2),)


def test_what_later_uses_came_to_decides_between_equals(store: OutcomeStore) -> None:
    first, second = keep(store, outcome(1), outcome(2))
    for n in range(6):
        keep(store, outcome(10 + n, "qa", success=False, learned_from=(first.id,)))
        keep(store, outcome(30 + n, "qa", learned_from=(second.id,)))
    found = {t.metadata["outcome"]: t.success_score for t in load(store, 20, agent="builder")}
    assert found[first.id] < 0.5 < found[second.id]


def test_malformed_ones_are_skipped_and_counted(store: OutcomeStore) -> None:
    keep(store, outcome())
    store.put(("outcomes", "builder"), "half", {"agent": "builder", "task": "t"})
    store.put(("outcomes", "builder"), "wrong", {"agent": "builder", "task": "t", "success": "perhaps"})
    assert len(load(store, success_only=False)) == 1
    assert len(load(store, task="write parser", success_only=False)) == 1
    assert store.skipped == 2


def test_the_threshold_is_taught_by_uses_and_off_until_there_are_enough(store: OutcomeStore) -> None:
    poor, good = keep(store, outcome(1, execution_path=("x",), tools_used=()), outcome(2))
    confidence = store.plans([poor.id, good.id])
    assert confidence[poor.id].confidence < confidence[good.id].confidence
    for n in range(10):
        keep(store, outcome(100 + n, "qa", success=False, learned_from=(poor.id,)))
    assert quality_threshold(store, 0.1) == 0.1
    for n in range(15):
        keep(store, outcome(200 + n, "qa", learned_from=(good.id,)))
    assert quality_threshold(store) == confidence[good.id].confidence
    assert poor.id in {t.metadata["outcome"] for t in load(store, 50, agent="builder")}
    assert [t.metadata["outcome"] for t in load(store, 50, agent="builder", threshold="auto")] == [good.id]


USES = st.lists(st.builds(Judged, st.sampled_from([0.5, 0.6, 0.7, 0.8, 0.9]), st.booleans()), max_size=80)


@given(USES)
def test_no_other_threshold_has_a_better_bound(uses: list[Judged]) -> None:
    def bound(threshold: float) -> float:
        kept = [use.success for use in uses if use.confidence >= threshold]
        return lower_bound(sum(kept), len(kept))

    found = tuned_threshold(uses, 0.3)
    if len(uses) < AT_LEAST:
        assert found == 0.3
    else:
        assert bound(found) == max(bound(use.confidence) for use in uses)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_bound_lies_below_the_share_and_nearer_with_more_trials(trial: tuple[int, int]) -> None:
    k, n = trial
    assert 0 <= lower_bound(k, n) <= k / n + 1e-12
    assert lower_bound(10 * k, 10 * n) >= lower_bound(k, n) - 1e-12


TELEMETRY = """
import asyncio, sys
from pathlib import Path
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

reader, spans, tracing = InMemoryMetricReader(), InMemorySpanExporter(), TracerProvider()
tracing.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(tracing)
metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))

from production_records import outcome
from agents.production import load_production_trajectories
from memory.embeddings import HashEmbedder
from memory.ledger import Ledger
from memory.outcomes import OutcomeStore
from memory.recall import Recall

home = Path(sys.argv[1])
with Ledger(home / "l.db") as ledger, Recall.open(home / "r", ledger.embeddings, HashEmbedder()) as recall:
    store = OutcomeStore(ledger, recall)
    assert asyncio.run(load_production_trajectories(store=store)) == []
    for one in (outcome(0), outcome(1), outcome(2, "qa")):
        store.keep_outcome(one)
    for _ in range(2):
        asyncio.run(load_production_trajectories(store=store))
told = {
    m.name: m.data.data_points
    for r in reader.get_metrics_data().resource_metrics for s in r.scope_metrics for m in s.metrics
}
loaded = {p.attributes["agent"]: p.value for p in told["se_darwin.production_trajectories_loaded"]}
assert loaded == {"builder": 4, "qa": 2}, loaded
quality = told["se_darwin.production_trajectory_quality"]
assert sum(p.count for p in quality) == 6
assert all(0 <= p.min <= p.max <= 1 and p.explicit_bounds[-1] == 1.0 for p in quality)
cycles = [s.attributes["se_darwin.continuous_improvement_cycles"] for s in spans.get_finished_spans()]
assert cycles == [0, 1, 2], cycles
"""


def test_opentelemetry_is_told(tmp_path: Path) -> None:
    """In a process of its own: OpenTelemetry takes providers only once in each."""
    done = subprocess.run(
        [sys.executable, "-c", TELEMETRY, str(tmp_path)],
        cwd=Path(__file__).parent,
        env={"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
