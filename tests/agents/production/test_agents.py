"""Builder and tester: the work is what it was, and its outcome is told."""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import Any

import pytest
from production_records import outcome

import ratchet
from agents.production import BuilderAgent, Logged, OutcomeTrajectoryLogger, QAAgent, note_source, note_step, note_tool
from core.production import ProductionOutcome
from memory.outcomes import OutcomeStore
from memory.transfer import Transfer

CODE = {"code": "x = 1\n", "steps": ["think", "write"], "tools_used": ["editor"]}


def logged(store: OutcomeStore, work: Any, task: str = "write x", *args: Any, **kwargs: Any) -> ProductionOutcome:
    """The outcome of one piece of the builder's work."""

    async def run() -> None:
        agent = BuilderAgent(OutcomeTrajectoryLogger(store, warn=pytest.fail))
        await agent.generate_code_with_logging(task, work, *args, **kwargs)
        assert await agent.aclose()

    asyncio.run(run())
    return store.outcomes()[0]


def returning(value: Any) -> Any:
    async def work(*args: Any, **kwargs: Any) -> Any:
        return value

    return work


def test_the_work_gets_its_arguments_and_gives_its_own_answer(store: OutcomeStore) -> None:
    seen: list[Any] = []

    async def generate(spec: str, *, style: str) -> dict[str, Any]:
        seen.append((spec, style, threading.current_thread() is threading.main_thread()))
        return CODE

    def plain(spec: str, *, style: str) -> dict[str, Any]:
        seen.append((spec, style, threading.current_thread() is threading.main_thread()))
        return CODE

    async def run() -> None:
        async with OutcomeTrajectoryLogger(store) as logger:
            agent = BuilderAgent(logger)
            for work in (generate, plain, functools.partial(generate), lambda s, style: generate(s, style=style)):
                assert await agent.generate_code_with_logging("t", work, "spec", style="short") is CODE
            assert await agent.generate_code_with_logging(
                task_description="t", code_generator_func=generate, spec="spec", style="short"
            ) is CODE  # fmt: skip

    asyncio.run(run())
    assert [(spec, style) for spec, style, _ in seen] == [("spec", "short")] * 5
    assert [on_loop for *_, on_loop in seen][:2] == [True, False]
    assert len(store.outcomes()) == 5


def test_the_outcome_tells_what_was_done(store: OutcomeStore) -> None:
    one = logged(store, returning(CODE))
    assert (one.agent, one.task, one.task_type, one.success) == ("builder", "write x", "code_generation", True)
    assert (one.execution_path, one.tools_used) == (("think", "write"), ("editor",))
    assert one.result == CODE
    assert one.started_at > 0
    plan = store.plans([one.id])[one.id]
    assert plan.steps == ("think", "write")
    (trajectory,) = asyncio.run(ratchet.load_production_trajectories(store=store))
    assert trajectory.code_changes == "x = 1\n"


@pytest.mark.parametrize("threaded", [False, True])
def test_the_path_that_the_work_notes_is_logged(store: OutcomeStore, threaded: bool) -> None:
    store.keep_outcome(outcome())

    def plain() -> str:
        note_step("read the specification")
        note_tool("ruff")
        note_step("write it")
        note_source(outcome().id)
        return "x = 1\n"

    async def generate() -> str:
        return plain()

    one = logged(store, plain if threaded else generate)
    assert one.execution_path == ("read the specification", "write it")
    assert (one.tools_used, one.learned_from) == (("ruff",), (outcome().id,))
    assert one.result == {"code": "x = 1\n"}
    note_step("outside of any work")


def test_two_pieces_of_work_at_once_have_a_path_each(store: OutcomeStore) -> None:
    async def generate(name: str) -> str:
        for n in range(3):
            note_step(f"{name} {n}")
            await asyncio.sleep(0)
        return name

    async def run() -> None:
        async with OutcomeTrajectoryLogger(store) as logger:
            agent = BuilderAgent(logger)
            await asyncio.gather(*(agent.generate_code_with_logging(n, generate, n) for n in "ab"))

    asyncio.run(run())
    assert {one.task: one.execution_path for one in store.outcomes()} == {
        n: (f"{n} 0", f"{n} 1", f"{n} 2") for n in "ab"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"success": False, "error": "no idea"}, "no idea"),
        ({"success": False, "errors": ["a", "b"]}, "a"),
        ({"success": False}, "said that it failed"),
    ],
)
def test_an_answer_may_say_that_it_failed(store: OutcomeStore, answer: Any, reason: str) -> None:
    one = logged(store, returning(answer))
    assert not one.success
    assert reason in one.failure_reasons[0]
    assert store.plans([one.id]) == {}


class Odd:
    """A result that no one can look at."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("do not look")


def test_an_error_of_the_work_passes_and_is_a_failure(store: OutcomeStore) -> None:
    async def fail() -> None:
        note_step("try")
        raise ValueError("no such token: sk-proj-abcdefghijkl0123")

    async def run() -> None:
        async with OutcomeTrajectoryLogger(store) as logger:
            with pytest.raises(ValueError, match="no such token"):
                await BuilderAgent(logger).generate_code_with_logging("t", fail)

    asyncio.run(run())
    (one,) = store.outcomes()
    assert (one.success, one.failure_reasons) == (False, ("ValueError: no such token: [key]",))
    assert one.execution_path == ("try",)


def test_a_cancelled_work_is_a_failure_and_stays_cancelled(store: OutcomeStore) -> None:
    async def run() -> None:
        async with OutcomeTrajectoryLogger(store) as logger:
            task = asyncio.create_task(BuilderAgent(logger).generate_code_with_logging("t", asyncio.sleep, 60))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    (one,) = store.outcomes()
    assert one.failure_reasons == ("cancelled",)


class Broken:
    """A store in which nothing works."""

    def __getattr__(self, name: str) -> Any:
        raise OSError("the disk is gone")


def test_logging_that_fails_never_fails_the_work() -> None:
    said: list[str] = []

    async def run() -> None:
        logger = OutcomeTrajectoryLogger(Broken(), warn=said.append)  # type: ignore[arg-type]
        agent = BuilderAgent(logger)
        odd = Odd()
        assert await agent.generate_code_with_logging("t", returning(odd)) is odd
        assert await agent.generate_code_with_logging("t", returning("x")) == "x"
        assert await agent.generate_code_with_logging(3, returning("x")) == "x"  # type: ignore[arg-type]
        assert await QAAgent(logger).run_tests_with_logging("t", returning(odd)) is odd
        assert await agent.aclose()
        assert await agent.generate_code_with_logging("t", returning("closed")) == "closed"
        assert logger.counts.failed >= 3
        assert logger.counts.lost == 1

    asyncio.run(run())
    assert len(said) == 1


def test_a_tester_logs_counts_coverage_failures_and_path(store: OutcomeStore) -> None:
    good = {"passed": 4, "failed": 0, "coverage": 93.5, "path": ["collect", "run"]}
    bad = {"passed": 3, "failed": ["test_b"], "coverage": 0.5}

    async def run() -> None:
        async with OutcomeTrajectoryLogger(store) as logger:
            agent = QAAgent(logger)
            assert await agent.run_tests_with_logging("test x", lambda suite: good, "suite") is good
            assert await agent.run_tests_with_logging("test x", returning(bad)) is bad

    asyncio.run(run())
    failed, passed = store.outcomes("qa")
    assert (passed.success, passed.execution_path, passed.task_type) == (True, ("collect", "run"), "testing")
    assert {"passed": 4, "failed": 0, "coverage": 0.935, "failures": []}.items() <= passed.result.items()
    assert (failed.success, failed.failure_reasons) == (False, ("test_b",))
    assert failed.result["coverage"] == 0.5
    assert store.plans([passed.id])[passed.id].evidence["tested"] == 1.0


def test_an_agent_learns_from_another_and_that_is_told(store: OutcomeStore) -> None:
    async def run() -> list[Logged]:
        async with OutcomeTrajectoryLogger(store) as logger:
            builder, tester = BuilderAgent(logger), QAAgent(logger)
            await builder.generate_code_with_logging("parse a log file", returning(CODE))
            await logger.flush()

            async def test() -> dict[str, int]:
                (plan,) = await tester.plans_for("test the parser of a log file", limit=1, follow=True)
                assert plan.agent == "builder"
                return {"passed": 1, "failed": 0}

            await tester.run_tests_with_logging("test the parser", test)
            return []

    asyncio.run(run())
    assert store.knowledge_transfer() == (Transfer("builder", "qa", read=1, used=1, succeeded=1),)
    qa = next(t for t in asyncio.run(ratchet.load_production_trajectories(store=store)) if t.metadata["agent"] == "qa")
    assert len(qa.parents) == 1
