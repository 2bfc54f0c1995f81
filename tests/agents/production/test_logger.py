"""The logger: everything stored, made into a plan and a trajectory, and nothing in the way of the work."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from production_records import outcome

from agents.production import Counts, OutcomeTrajectoryLogger
from agents.testing import ScriptedModel
from core.errors import ModelSilentError, UnavailableError
from core.production import ProductionOutcome
from memory.embeddings import HashEmbedder
from memory.ledger import Ledger
from memory.outcomes import OutcomeStore
from memory.recall import Recall

ROOT = Path(__file__).parents[3]
ANSWER = {"strategy": "s", "steps": [{"text": "read", "lines": [1]}, {"text": "write", "lines": [2, 3, 4]}]}


def test_an_outcome_is_stored_with_its_plan_and_trajectory(store: OutcomeStore) -> None:
    async def work() -> None:
        async with OutcomeTrajectoryLogger(store) as logger:
            logged = await logger.log_outcome(outcome())
            assert logged is not None
            assert logged.plan is not None
            assert store.outcomes() == [logged.outcome]
            assert store.plans([logged.outcome.id]) == {logged.outcome.id: logged.plan}
            assert logged.trajectory.success_score == pytest.approx(logged.plan.confidence)
            failed = await logger.log_outcome(outcome(1, success=False))
            assert failed is not None
            assert failed.plan is None
            assert failed.trajectory.success_score == 0.0
            assert logger.counts == Counts(logged=2, plans=1)

    asyncio.run(work())


def test_the_same_outcome_told_again_is_kept_once(store: OutcomeStore) -> None:
    async def work() -> None:
        async with OutcomeTrajectoryLogger(store) as logger:
            for _ in range(3):
                await logger.log_outcome(outcome())

    asyncio.run(work())
    assert len(store.search()) == 2  # the outcome and its plan


def test_what_was_handed_over_is_stored_though_the_loop_has_ended(store: OutcomeStore) -> None:
    logger = OutcomeTrajectoryLogger(store)

    async def work() -> None:
        for n in range(30):
            assert logger.log_soon(outcome(n))

    asyncio.run(work())
    assert asyncio.run(logger.aclose())
    assert len(store.outcomes()) == 30
    assert [one.started_at for one in store.outcomes()] == [1029.0 - n for n in range(30)]


@pytest.mark.parametrize("wrong", [{}, {"agent": "a"}, None, "text", {"agent": "a", "task": "t", "success": "perhaps"}])
def test_a_malformed_one_is_counted_and_warned_of_once(store: OutcomeStore, wrong: Any) -> None:
    said: list[str] = []

    async def work() -> None:
        async with OutcomeTrajectoryLogger(store, warn=said.append) as logger:
            assert await logger.log_outcome(wrong) is None
            logger.log_soon(wrong)
            await logger.flush()
            assert logger.counts == Counts(malformed=2)
            logger.log_soon(outcome())
            logger.log_soon(wrong)  # the last one waits for nobody: what is before it is indexed too
            await logger.flush()
            assert [item.key for item in store.search(("outcomes",), query="parser")] == [outcome().id]

    asyncio.run(work())
    assert len(said) == 1
    assert len(store.search()) == 2


def test_what_was_made_without_validation_is_no_outcome(store: OutcomeStore) -> None:
    async def work() -> None:
        async with OutcomeTrajectoryLogger(store, warn=lambda _: None) as logger:
            assert await logger.log_outcome(ProductionOutcome.model_construct(agent="", task=3)) is None  # type: ignore[arg-type]
            assert logger.counts.malformed == 1

    asyncio.run(work())


class Away(HashEmbedder):
    def embed(self, texts: Any) -> Any:
        raise UnavailableError("the embedder is away")


def test_a_store_that_fails_is_counted_and_what_can_be_kept_is(tmp_path: Path) -> None:
    said: list[str] = []

    async def work(logger: OutcomeTrajectoryLogger) -> None:
        logged = await logger.log_outcome(outcome())
        assert logged is not None
        assert logged.trajectory.success_score > 0
        await logger.aclose()

    with Ledger(tmp_path / "l.db") as ledger, Recall.open(tmp_path / "r", ledger.embeddings, Away()) as recall:
        store = OutcomeStore(ledger, recall)
        logger = OutcomeTrajectoryLogger(store, warn=said.append)
        asyncio.run(work(logger))
        assert logger.counts.failed == 1
        assert len(store.outcomes()) == 1
        assert len(store.plans([outcome().id])) == 1
    assert len(said) == 1
    assert "the embedder is away" in said[0]


def test_without_a_store_nothing_is_kept_and_nothing_fails() -> None:
    async def work() -> None:
        async with OutcomeTrajectoryLogger(None) as logger:
            logged = await logger.log_outcome(outcome())
            assert logged is not None
            assert logged.plan is not None

    asyncio.run(work())


class Slow(HashEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def embed(self, texts: Any) -> Any:
        assert self.go.wait(30)
        return super().embed(texts)


def test_what_waits_is_bounded_and_the_rest_is_counted_as_lost(tmp_path: Path) -> None:
    slow, said = Slow(), []
    with Ledger(tmp_path / "l.db") as ledger, Recall.open(tmp_path / "r", ledger.embeddings, slow) as recall:
        store = OutcomeStore(ledger, recall)

        async def work() -> None:
            logger = OutcomeTrajectoryLogger(store, max_pending=3, warn=said.append)
            taken = [logger.log_soon(outcome(n)) for n in range(10)]
            assert taken.count(True) == 3
            assert logger.counts.lost == 7
            assert not await logger.flush(timeout_s=0.05)
            slow.go.set()
            assert await logger.aclose(timeout_s=60)
            assert not logger.log_soon(outcome(11))
            assert await logger.log_outcome(outcome(12)) is None
            assert logger.counts == Counts(logged=3, plans=3, lost=9)

        asyncio.run(work())
        assert len(store.outcomes()) == 3
    assert len(said) == 1


def test_cancelling_the_caller_undoes_nothing(tmp_path: Path) -> None:
    slow = Slow()
    with Ledger(tmp_path / "l.db") as ledger, Recall.open(tmp_path / "r", ledger.embeddings, slow) as recall:
        store = OutcomeStore(ledger, recall)

        async def work() -> None:
            logger = OutcomeTrajectoryLogger(store)
            task = asyncio.create_task(logger.log_outcome(outcome()))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            slow.go.set()
            assert await logger.aclose()

        asyncio.run(work())
        assert len(store.outcomes()) == 1


@pytest.mark.parametrize("soon", [True, False])
def test_a_model_refines_the_plan(store: OutcomeStore, soon: bool) -> None:
    model = ScriptedModel({"historian/plan": ANSWER})

    async def work() -> None:
        async with OutcomeTrajectoryLogger(store, model=model) as logger:
            if soon:
                assert logger.log_soon(outcome())
                assert await logger.flush(30)
            else:
                logged = await logger.log_outcome(outcome())
                assert logged is not None
                assert logged.plan is not None
                assert logged.plan.source == "model"
            await logger.log_outcome(outcome(1, success=False))
            assert logger.counts == Counts(logged=2, plans=1, refined=1)
            await logger.log_outcome(outcome())  # told again: the finer plan is not lost to the rules'

    asyncio.run(work())
    (plan,) = store.plans([outcome().id]).values()
    assert (plan.source, plan.steps) == ("model", ("read", "write"))
    assert len(model.asked) == 2


def test_a_model_that_fails_leaves_the_plan_of_the_rules(store: OutcomeStore) -> None:
    async def work() -> None:
        for answer in (ModelSilentError("gone"), RuntimeError("odd"), {"steps": []}):
            model = ScriptedModel({"historian/plan": answer}, repairs=0)
            async with OutcomeTrajectoryLogger(store, model=model, warn=lambda _: None) as logger:
                logged = await logger.log_outcome(outcome())
                assert logged is not None
                assert logged.plan is not None
                assert logged.plan.source == "rules"

    asyncio.run(work())
    assert store.plans([outcome().id])[outcome().id].source == "rules"


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from production_records import outcome
from agents.production import OutcomeTrajectoryLogger
from memory.embeddings import HashEmbedder
from memory.ledger import Ledger
from memory.outcomes import OutcomeStore
from memory.recall import Recall

async def work(store):
    logger = OutcomeTrajectoryLogger(store)
    for n in range(1000):
        await logger.log_outcome(outcome(n))
        print(n, flush=True)

home = Path(sys.argv[1])
with Ledger(home / "l.db") as ledger, Recall.open(home / "r", ledger.embeddings, HashEmbedder()) as recall:
    asyncio.run(work(OutcomeStore(ledger, recall)))
"""


def test_killed_it_keeps_what_it_answered_for(tmp_path: Path) -> None:
    here = Path(__file__).parent
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": f"{ROOT}:{here}", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert process.stdout is not None
    acknowledged = -1
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged >= 20:
            process.kill()
            break
    acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
    process.wait()
    process.stdout.close()
    with (
        Ledger(tmp_path / "l.db", check=True) as ledger,
        Recall.open(tmp_path / "r", ledger.embeddings, HashEmbedder()) as recall,
    ):
        store = OutcomeStore(ledger, recall)
        kept = {one.started_at - 1000 for one in store.outcomes(limit=2000)}
        assert set(range(acknowledged + 1)) <= kept
        found = store.search(("outcomes",), query="write parser", limit=2000)
        assert {item.value["started_at"] - 1000 for item in found} == kept
