"""The queue: so many at once, in order, and every job's end accounted for."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from job_scripts import HANG_S, MakeSpec, marked

from core.errors import BusyError, UnavailableError
from runtime.jobs import JobQueue, JobReport, JobResult, JobSpec, JobState, RunningJob, start

PASSES = """
    import os, time
    name = os.environ["RATCHET_JOB"]
    with open("../order", "a") as file:
        file.write(f"+{name} ")
    print('{"step": 1}', flush=True)
    while not os.path.exists(f"../go-{name}"):
        time.sleep(0.01)
    with open("../order", "a") as file:
        file.write(f"-{name} ")
"""


def _run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(HANG_S):
            await main()

    asyncio.run(bounded())


def _go(spec: JobSpec) -> None:
    (spec.directory.parent / f"go-{spec.id}").touch()


async def _until(queue: JobQueue, spec: JobSpec, state: JobState) -> None:
    """Turn by turn of the event loop, to catch the very first moment of a state."""
    while queue.states().get(spec.id) != state:  # noqa: ASYNC110 -- no event tells of a state
        await asyncio.sleep(0)


def _order(spec: JobSpec) -> str:
    return (spec.directory.parent / "order").read_text()


def test_two_at_once_in_order_of_arrival(make_spec: MakeSpec) -> None:
    specs = [make_spec(PASSES, job=f"j-{n}") for n in range(4)]

    async def main() -> None:
        queue = JobQueue(parallel=2)
        started: asyncio.Queue[str] = asyncio.Queue()
        tasks = [
            asyncio.create_task(queue.run(spec, on_report=lambda _, name=spec.id: started.put_nowait(name)))  # type: ignore[misc]
            for spec in specs
        ]
        assert {await started.get(), await started.get()} == {"j-0", "j-1"}
        assert list(queue.states().values()) == [JobState.RUNNING] * 2 + [JobState.QUEUED] * 2
        _go(specs[1])
        assert await started.get() == "j-2"
        assert queue.states()["j-1"] == "COMPLETED"
        assert queue.states()["j-3"] == "QUEUED"
        _go(specs[2])
        assert await started.get() == "j-3"
        _go(specs[0])
        _go(specs[3])
        assert [result.status for result in await asyncio.gather(*tasks)] == ["ok"] * 4
        assert set(queue.states().values()) == {JobState.COMPLETED}

    _run(main)
    steps = _order(specs[0]).split()
    running = [sum(1 if step[0] == "+" else -1 for step in steps[: n + 1]) for n in range(len(steps))]
    assert max(running) == 2


def test_run_answers_again_with_the_result_it_had(make_spec: MakeSpec) -> None:
    spec = make_spec("open('../runs', 'a').write('x'); print('{\"auc\": 1}')")

    async def main() -> None:
        first = await JobQueue(1).run(spec)
        queue = JobQueue(1)
        assert await queue.run(spec) == first
        assert queue.states() == {"j-1": JobState.COMPLETED}

    _run(main)
    assert (spec.directory.parent / "runs").read_text() == "x"


def test_run_takes_up_a_job_that_was_started_by_another(make_spec: MakeSpec) -> None:
    """It takes a place in the queue, so that no more than `parallel` run."""
    spec, later = make_spec(PASSES, job="j-1"), make_spec(PASSES, job="j-2")

    async def main() -> None:
        (await start(spec)).close()
        queue = JobQueue(1)
        seen: list[str] = []
        watching = asyncio.Event()

        def on_start(running: RunningJob) -> None:
            seen.append(f"start {running.attempt}")

        async def on_report(report: JobReport) -> None:
            seen.append(f"step {report.step}")
            watching.set()

        again = asyncio.create_task(queue.run(spec, on_report, on_start))
        await watching.wait()
        new = asyncio.create_task(queue.run(later))
        await asyncio.sleep(0)
        assert queue.states() == {"j-1": "RUNNING", "j-2": "QUEUED"}
        _go(spec)
        _go(later)
        assert [(await again).status, (await new).status] == ["ok", "ok"]
        assert seen == ["start 1", "step 1"]

    _run(main)
    assert _order(spec) == "+j-1 -j-1 +j-2 -j-2 "


def test_a_lost_job_is_failed_and_its_next_attempt_runs(make_spec: MakeSpec) -> None:
    spec = make_spec(PASSES)

    async def main() -> None:
        queue = JobQueue(1)

        async def kill(running: RunningJob) -> None:
            os.kill(running.identity.pid, signal.SIGKILL)

        assert (await queue.run(spec, on_start=kill)).cause == "lost"
        assert queue.states() == {"j-1": JobState.FAILED}
        assert (await JobQueue(1).run(spec)).cause == "lost"  # the same attempt stays lost
        _go(spec)
        assert (await queue.run(spec.model_copy(update={"attempt": 2}))).status == "ok"

    _run(main)


def test_cancel_a_waiting_and_a_running_job(make_spec: MakeSpec) -> None:
    first, second, third = (make_spec(PASSES, job=f"j-{n}") for n in range(3))

    async def main() -> None:
        queue = JobQueue(1)
        up = asyncio.Event()
        tasks = [asyncio.create_task(queue.run(first, on_report=lambda _: up.set()))]
        tasks += [asyncio.create_task(queue.run(spec)) for spec in (second, third)]
        await up.wait()
        assert await queue.cancel(second.id)
        result = await tasks[1]
        assert (result.status, result.reason) == ("cancelled", "cancelled before it started")
        assert not second.directory.exists()
        assert await queue.cancel(first.id)
        assert (await tasks[0]).status == "cancelled"
        assert not await queue.cancel(first.id)
        _go(third)
        assert (await tasks[2]).status == "ok"
        assert queue.states() == {"j-0": "CANCELLED", "j-1": "CANCELLED", "j-2": "COMPLETED"}

    _run(main)


def test_shutdown_ends_everything_and_refuses_more(make_spec: MakeSpec) -> None:
    specs = [make_spec(PASSES, job=f"j-{n}") for n in range(4)]

    async def main() -> None:
        queue = JobQueue(2)
        started: asyncio.Queue[None] = asyncio.Queue()
        tasks = [asyncio.create_task(queue.run(spec, on_report=lambda _: started.put_nowait(None))) for spec in specs]
        await started.get()
        await started.get()
        await queue.shutdown()
        assert all(marked(spec) == [] for spec in specs)
        assert {result.status for result in await asyncio.gather(*tasks)} == {"cancelled"}
        with pytest.raises(UnavailableError, match="shut down"):
            await queue.run(specs[0])

    _run(main)


def test_shutdown_while_a_job_is_starting(make_spec: MakeSpec) -> None:
    spec = make_spec(PASSES)

    async def main() -> None:
        queue = JobQueue(1)
        task = asyncio.create_task(queue.run(spec))
        await _until(queue, spec, JobState.RUNNING)
        await queue.shutdown()
        assert (await task).status == "cancelled"

    _run(main)
    assert marked(spec) == []


@pytest.mark.parametrize("moment", ["starting", "running", "queued"])
def test_cancelling_the_task_ends_the_job(make_spec: MakeSpec, moment: str) -> None:
    spec, other = make_spec(PASSES, job="j-1"), make_spec(PASSES, job="j-2")

    async def main() -> None:
        queue = JobQueue(1)
        up = asyncio.Event()
        blocker = asyncio.create_task(queue.run(other, on_report=lambda _: up.set())) if moment == "queued" else None
        if blocker is not None:
            await up.wait()
        reported = asyncio.Event()
        task = asyncio.create_task(queue.run(spec, on_report=lambda _: reported.set()))
        await _until(queue, spec, JobState.QUEUED if moment == "queued" else JobState.RUNNING)
        if moment == "running":
            await reported.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert queue.states()[spec.id] == "CANCELLED"
        _go(other)
        _go(spec)
        assert (await (blocker or queue.run(other))).status == "ok"  # the place is free again

    _run(main)


def test_an_error_in_a_callback_ends_the_job_and_is_raised(make_spec: MakeSpec) -> None:
    spec = make_spec(PASSES)

    async def main() -> None:
        queue = JobQueue(1)

        def fail(_: JobReport) -> None:
            raise LookupError("from the callback")

        with pytest.raises(LookupError, match="from the callback"):
            await queue.run(spec, on_report=fail)
        assert queue.states() == {"j-1": JobState.FAILED}

    _run(main)
    assert marked(spec) == []


def test_the_same_job_twice_in_one_queue_is_refused(make_spec: MakeSpec) -> None:
    spec = make_spec(PASSES)

    async def main() -> None:
        queue = JobQueue(2)
        up = asyncio.Event()
        task: asyncio.Task[JobResult] = asyncio.create_task(queue.run(spec, on_report=lambda _: up.set()))
        await up.wait()
        with pytest.raises(BusyError, match="in the queue already"):
            await queue.run(spec)
        _go(spec)
        assert (await task).status == "ok"

    _run(main)


def test_a_directory_that_cannot_be_written_frees_the_place(make_spec: MakeSpec, tmp_path: Path) -> None:
    bad, good = make_spec("", job="j-1"), make_spec("", job="j-2")
    bad = bad.model_copy(update={"directory": tmp_path / "j-1.py"})

    async def main() -> None:
        queue = JobQueue(1)
        with pytest.raises(UnavailableError, match="cannot be written"):
            await queue.run(bad)
        assert (await queue.run(good)).status == "ok"
        assert queue.states() == {"j-1": "FAILED", "j-2": "COMPLETED"}

    _run(main)
