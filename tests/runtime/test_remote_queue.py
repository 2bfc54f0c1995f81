"""Control planes that are down, slow or lie: each is a clear failure of the one job, and nothing worse."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from job_scripts import HANG_S
from lying_server import Lie, Reply, answer, serving, stream

from core.campaign import Limits
from core.errors import UnavailableError
from runtime.control_plane.client import ControlPlaneClient
from runtime.control_plane.remote_queue import Patience, RemoteQueue
from runtime.control_plane.wire import Work
from runtime.jobs import JobReport, JobResult, JobSpec, Started, read_reports, read_result

NAME = "j-1-ns"
CONFIG = {"x": 0.1}
JOB = {"experiment_id": NAME, "status": "QUEUED", "config": CONFIG, "submitted_at": 1.0}
RESULTS = {
    "experiment_id": NAME,
    "config": CONFIG,
    "metrics": {"score": 0.5},
    "status": "COMPLETED",
    "duration_seconds": 1.5,
    "proposal_type": "experiment",
    "risk_level": "low",
    "outcome": "ok",
    "steps": 1,
}
PATIENCE = Patience(submit_s=0.2, reconnect_s=0.3, first_pause_s=0.01, longest_pause_s=0.05, overtime_s=0.2)


def event(seq: int, status: str | None = None, report: dict[str, Any] | None = None, **other: Any) -> bytes:
    kind = "state" if report is None else "report"
    told = {"seq": seq, "at": 1.0, "experiment_id": NAME, "attempt": 1, "kind": kind, "status": status}
    told |= {"report": report, **other}
    return f"id: {seq}\nevent: {kind}\ndata: {json.dumps(told)}\n\n".encode()


STEP = {"step": 1, "time_s": 0.1, "metrics": {"score": 0.25}}
WHOLE = (event(1, "QUEUED"), event(2, "RUNNING"), event(3, report=STEP), event(4, "COMPLETED"))


def honest(**lies: Reply) -> Lie:
    """A server that tells the truth, except for what is given."""
    truth: dict[str, Reply] = {
        "train": answer(JOB, 202),
        "events": stream(*WHOLE),
        "job": answer({**JOB, "status": "COMPLETED"}),
        "results": answer(RESULTS),
        "cancel": answer({**JOB, "status": "CANCELLED"}),
    }
    return Lie(**{**truth, **lies})


def spec_in(folder: Path) -> JobSpec:
    return JobSpec(
        id="j-1",
        directory=folder / "j-1",
        command=("unused",),
        config=CONFIG,
        limits=Limits(time_s=0.2),
        metrics_required=("score",),
    )


def queue_at(url: str, answer_s: float = 20.0) -> RemoteQueue:
    work = Work(command=("unused",), limits=Limits(time_s=0.2), metrics_required=("score",))
    client = ControlPlaneClient(url, "token", answer_s=answer_s)
    return RemoteQueue(client, works={"toy": work}, namespace="ns", patience=PATIENCE)


def run(lie: Lie, folder: Path, answer_s: float = 20.0, **callbacks: Any) -> JobResult:
    async def main() -> JobResult:
        async with asyncio.timeout(HANG_S), serving(lie) as url:
            queue = queue_at(url, answer_s)
            try:
                return await queue.run(spec_in(folder), **callbacks)
            finally:
                await queue.shutdown()

    return asyncio.run(main())


def test_an_honest_one_gives_the_result_and_every_report(tmp_path: Path) -> None:
    reports: list[JobReport] = []
    starts: list[Started] = []
    result = run(honest(), tmp_path, on_report=reports.append, on_start=starts.append)
    assert (result.status, result.metrics, result.duration_s) == ("ok", {"score": 0.5}, 1.5)
    assert [report.metrics for report in reports] == [{"score": 0.25}]
    assert [start.attempt for start in starts] == [1]
    assert read_reports(tmp_path / "j-1") == reports
    assert read_result(tmp_path / "j-1", 1) == result
    again = honest()
    assert run(again, tmp_path) == result  # known here: nobody is asked
    assert again.asked == []


async def silence(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(HANG_S)


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 202 X\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def cut(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")


async def flood(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def reports_without_end(writer: asyncio.StreamWriter) -> None:
    seq = 10
    while True:
        seq += 1
        writer.write(event(seq, report=STEP))
        await writer.drain()
        await asyncio.sleep(0.01)


async def pings_without_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b": ping\n\n")
        await writer.drain()
        await asyncio.sleep(0.01)


LIES: dict[str, tuple[Callable[[], Lie], str]] = {
    "hangs": (lambda: honest(train=silence), "did not answer in 0.3 s"),
    "drips": (lambda: honest(train=drip), "did not answer in 0.3 s"),
    "cuts the answer": (lambda: honest(train=cut), "does not answer"),
    "500": (lambda: honest(train=answer(b"oops", 500, "text/plain")), "answers 500"),
    "503 with a problem": (lambda: honest(train=answer({"detail": "starting"}, 503)), "503: starting"),
    "401": (lambda: honest(train=answer({"detail": "no token"}, 401)), "CONTROL_PLANE_TOKEN"),
    "403": (lambda: honest(train=answer({"detail": "not registered", "hint": "do"}, 403)), "not registered"),
    "redirect": (lambda: honest(train=answer(b"", 302)), "refuses (302)"),
    "garbage": (lambda: honest(train=answer(b"<html>", 200, "text/html")), "not JSON"),
    "a list": (lambda: honest(train=answer([], 200)), "no TrainingJob"),
    "deep JSON": (lambda: honest(train=answer(b"[" * 100_000)), "not JSON"),
    "missing fields": (lambda: honest(train=answer({"experiment_id": NAME})), "no TrainingJob"),
    "another job": (lambda: honest(train=answer({**JOB, "experiment_id": "else"})), "answers about 'else'"),
    "5 MB": (lambda: honest(train=answer(b" " * 5_000_000)), "more than"),
    "no event stream": (lambda: honest(events=answer({})), "no event stream"),
    "events of another job": (lambda: honest(events=stream(event(1, "QUEUED", experiment_id="e"))), "about 'e'"),
    "events that are none": (lambda: honest(events=stream(b"data: {}\n\n")), "no JobEvent"),
    "a line without end": (lambda: honest(events=stream(then=flood)), "a line of more than"),
    "reports without end": (lambda: honest(events=stream(*WHOLE[:2], then=reports_without_end)), "told no end"),
    "pings without end": (lambda: honest(events=stream(*WHOLE[:2], then=pings_without_end)), "told no end"),
    "streams that end at once": (
        lambda: honest(events=stream(), job=answer({**JOB, "status": "RUNNING"})),
        "before the job",
    ),
    "forgets the job": (lambda: honest(events=answer({"detail": "no such job"}, 404)), "(404)"),
    "no results": (lambda: honest(results=answer({"detail": "not finished"}, 409)), "(409)"),
    "results of another job": (lambda: honest(results=answer({**RESULTS, "experiment_id": "e"})), "about 'e'"),
    "results of another config": (lambda: honest(results=answer({**RESULTS, "config": {"x": 9}})), "another config"),
    "results of another seed": (lambda: honest(results=answer({**RESULTS, "seed": 9})), "another config"),
    "NaN": (lambda: honest(results=answer({**RESULTS, "metrics": {"score": float("nan")}})), "NaN is no JSON"),
    "NaN in words": (lambda: honest(results=answer({**RESULTS, "metrics": {"score": "NaN"}})), "no finite score"),
    "no metric": (lambda: honest(results=answer({**RESULTS, "metrics": {}})), "no finite score"),
    "a metric in words": (lambda: honest(results=answer({**RESULTS, "metrics": {"score": "good"}})), "score"),
    "a status that does not fit": (lambda: honest(results=answer({**RESULTS, "status": "FAILED"})), "cannot be"),
    "a negative duration": (lambda: honest(results=answer({**RESULTS, "duration_seconds": -1})), "duration_seconds"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_a_failure_of_the_job(name: str, tmp_path: Path) -> None:
    make, reason = LIES[name]
    result = run(make(), tmp_path, answer_s=0.3 if "0.3 s" in reason else 20.0)
    assert (result.status, result.cause) == ("failed", "control_plane")
    assert reason in result.reason
    assert len(result.reason) < 1000
    assert read_result(tmp_path / "j-1", 1) is None


def test_one_that_is_down(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        async def main() -> JobResult:
            async with asyncio.timeout(HANG_S):
                return await queue_at(url).run(spec_in(tmp_path))

        result = asyncio.run(main())
    assert (result.status, result.cause) == ("failed", "control_plane")
    assert "does not answer" in result.reason


def test_a_stream_that_is_cut_goes_on_where_it_was(tmp_path: Path) -> None:
    """Every other connection breaks after one more event; each report is told once."""
    lie = honest()
    left = list(WHOLE)

    async def one_more(writer: asyncio.StreamWriter) -> None:
        await stream(*WHOLE[: len(WHOLE) - len(left) + 1])(writer)
        left.pop(0)

    lie.events = one_more
    lie.job = answer({**JOB, "status": "RUNNING"})
    reports: list[JobReport] = []
    result = run(lie, tmp_path, on_report=reports.append)
    assert result.status == "ok"
    assert len(reports) == 1
    assert sum(path.endswith("/events") for path in lie.asked) == len(WHOLE)


def test_cancelling_ends_the_job_there(tmp_path: Path) -> None:
    cancelled = asyncio.Event
    lie = honest()

    async def main() -> JobResult:
        ended = cancelled()

        async def cancel(writer: asyncio.StreamWriter) -> None:
            ended.set()
            await answer({**JOB, "status": "CANCELLED"})(writer)

        async def until_cancelled(writer: asyncio.StreamWriter) -> None:
            await ended.wait()
            writer.write(event(3, "CANCELLED"))

        lie.cancel = cancel
        lie.events = stream(*WHOLE[:2], then=until_cancelled)
        lie.results = answer({**RESULTS, "status": "CANCELLED", "outcome": "cancelled", "metrics": {}})
        async with asyncio.timeout(HANG_S), serving(lie) as url:
            queue = queue_at(url)
            started = asyncio.Event()
            task = asyncio.create_task(queue.run(spec_in(tmp_path), on_start=lambda _: started.set()))
            await started.wait()
            assert await queue.cancel("j-1")
            result = await task
            assert not await queue.cancel("j-1")
            await queue.shutdown()
            with pytest.raises(UnavailableError):
                await queue.run(spec_in(tmp_path))
            return result

    assert asyncio.run(main()).status == "cancelled"
    assert read_result(tmp_path / "j-1", 1) is None  # so that it can be run again


def test_a_job_that_a_shutdown_had_cancelled_there_is_run_anew(tmp_path: Path) -> None:
    lie = honest(train=answer({**JOB, "status": "CANCELLED"}, 200))
    submissions = 0

    async def cancelled_first(writer: asyncio.StreamWriter) -> None:
        nonlocal submissions
        submissions += 1
        told = {**JOB, "status": "CANCELLED"} if submissions == 1 else {**JOB, "experiment_id": f"{NAME}.2"}
        await answer(told, 200 if submissions == 1 else 202)(writer)

    lie.train = cancelled_first
    lie.events = stream(event(1, "COMPLETED", experiment_id=f"{NAME}.2"))
    lie.results = answer({**RESULTS, "experiment_id": f"{NAME}.2"})
    assert run(lie, tmp_path).status == "ok"
    assert submissions == 2


def test_a_cancelled_task_ends_the_job_there(tmp_path: Path) -> None:
    lie = honest(events=stream(*WHOLE[:2], then=silence))

    async def main() -> None:
        async with asyncio.timeout(HANG_S), serving(lie) as url:
            started = asyncio.Event()
            task = asyncio.create_task(queue_at(url).run(spec_in(tmp_path), on_start=lambda _: started.set()))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert lie.asked[-1] == f"POST /jobs/{NAME}/cancel"
