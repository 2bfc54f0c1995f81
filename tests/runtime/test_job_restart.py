"""The main process dies, the keeper dies, or nobody watches: each attempt happens once and its result is found."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from job_scripts import HANG_S, MakeSpec, linux, marked, run

from core.errors import BusyError, NotFoundError, UnavailableError
from runtime.jobs import (
    JobQueue,
    JobReport,
    JobResult,
    JobSpec,
    attach,
    kill_leftovers,
    read_result,
    read_started,
    start,
)

pytestmark = linux

ROOT = Path(__file__).parents[2]
WAITS_FOR_FILE = """
    import os, time
    with open("../runs", "a") as file:
        file.write("x")
    print('{"step": 1, "auc": 0.5}')
    while not os.path.exists("../go"):
        time.sleep(0.01)
    print('{"step": 2, "auc": 0.75}')
"""


def _follow(directory: Path) -> tuple[list[JobReport], JobResult]:
    """Attach as a process would that was not there when the job started."""

    async def main() -> tuple[list[JobReport], JobResult]:
        started = read_started(directory)
        assert started is not None
        async with asyncio.timeout(HANG_S):
            running = attach(directory, started.identity)
            reports = []
            async for report in running.reports():
                reports.append(report)
                (directory.parent / "go").touch()
            return reports, await running.wait()

    return asyncio.run(main())


def _start_in_a_process_that_is_killed(spec: JobSpec) -> None:
    """Another Python starts the job and is killed (SIGKILL) at the first report."""
    script = textwrap.dedent(
        """
        import asyncio, os, signal, sys
        from runtime.jobs import JobSpec, start

        async def main():
            running = await start(JobSpec.model_validate_json(sys.stdin.read()))
            async for report in running.reports():
                os.kill(os.getpid(), signal.SIGKILL)

        asyncio.run(main())
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=spec.model_dump_json(), text=True, cwd=ROOT, timeout=HANG_S, check=False
    )
    assert done.returncode == -signal.SIGKILL


def test_the_main_process_is_killed_and_a_new_one_gets_the_result_once(make_spec: MakeSpec) -> None:
    spec = make_spec(WAITS_FOR_FILE, metrics_required=("auc",))
    _start_in_a_process_that_is_killed(spec)
    assert read_result(spec.directory, 1) is None
    reports, result = _follow(spec.directory)
    assert [report.step for report in reports] == [1, 2]
    assert (result.status, result.metrics) == ("ok", {"auc": 0.75})
    assert _follow(spec.directory) == (reports, result)  # asking again changes nothing
    assert (spec.directory.parent / "runs").read_text() == "x"


def test_a_result_that_came_while_nobody_watched(make_spec: MakeSpec) -> None:
    spec = make_spec("print('{\"auc\": 1}')")
    result = run(spec)
    started = read_started(spec.directory)
    assert started is not None
    assert not started.identity.alive()
    assert _follow(spec.directory)[1] == result


def test_the_keeper_is_killed(make_spec: MakeSpec) -> None:
    """Its direct child dies with it; a grandchild is found by its mark; the job is lost, and says so."""
    spec = make_spec(
        """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        print('{"step": 1}')
        child.wait()
        """
    )

    async def main() -> JobResult:
        async with asyncio.timeout(HANG_S):
            running = await start(spec)
            async for _ in running.reports():
                os.kill(running.identity.pid, signal.SIGKILL)
            return await running.wait()

    result = asyncio.run(main())
    assert (result.status, result.cause, result.attempt) == ("failed", "lost", 1)
    assert marked(spec) == []
    assert _follow(spec.directory)[1].cause == "lost"


def test_leftovers_of_one_job_are_ended_and_no_others(make_spec: MakeSpec) -> None:
    mine, twin = make_spec(job="j-1"), make_spec(job="j-2")
    mine.directory.mkdir(parents=True)
    mark = {"RATCHET_JOB": "j-1", "RATCHET_DIRECTORY": str(mine.directory)}
    elsewhere = {"RATCHET_JOB": "j-1", "RATCHET_DIRECTORY": str(twin.directory)}
    left = subprocess.Popen(["/bin/sh", "-c", "env -i sleep 600"], env=mark)
    other = subprocess.Popen(["sleep", "600"], env=elsewhere)
    try:
        assert kill_leftovers("j-1", mine.directory) >= 1
        assert left.wait(10) == -signal.SIGKILL
        assert other.poll() is None
        assert kill_leftovers("j-1", mine.directory) == 0
    finally:
        for child in (left, other):
            child.kill()
            child.wait()


def test_who_asks_for_a_lost_attempt_does_not_end_the_next_one(make_spec: MakeSpec) -> None:
    spec = make_spec(WAITS_FOR_FILE)

    async def main() -> None:
        async with asyncio.timeout(HANG_S):
            first = await start(spec)
            os.kill(first.identity.pid, signal.SIGKILL)
            assert (await first.wait()).cause == "lost"
            second = await start(spec.model_copy(update={"attempt": 2}))
            assert (await attach(spec.directory, first.identity, attempt=1).wait()).cause == "lost"
            assert kill_leftovers(spec.id, spec.directory) == 0
            (spec.directory.parent / "go").touch()
            assert (await second.wait()).status == "ok"

    asyncio.run(main())


def test_an_attempt_is_started_once_ever(make_spec: MakeSpec) -> None:
    spec = make_spec("open('../runs', 'a').write('x')")
    run(spec)
    with pytest.raises(BusyError, match="was started before"):
        run(spec)
    run(spec.model_copy(update={"attempt": 2}))
    with pytest.raises(BusyError, match="was started before"):
        run(spec)
    assert (spec.directory.parent / "runs").read_text() == "xx"


def test_two_processes_start_the_same_attempt(make_spec: MakeSpec) -> None:
    """Whoever comes second is refused: while it runs, and with a later attempt too."""
    spec = make_spec(WAITS_FOR_FILE)

    async def main() -> list[object]:
        async with asyncio.timeout(HANG_S):
            answers = await asyncio.gather(start(spec), start(spec), return_exceptions=True)
            [running] = [answer for answer in answers if not isinstance(answer, BaseException)]
            [refusal] = [answer for answer in answers if isinstance(answer, BaseException)]
            with pytest.raises(BusyError, match="still running"):
                await start(spec.model_copy(update={"attempt": 2}))
            (spec.directory.parent / "go").touch()
            return [refusal, await running.wait()]

    refusal, result = asyncio.run(main())
    assert isinstance(refusal, BusyError)
    assert isinstance(result, JobResult)
    assert result.status == "ok"
    assert (spec.directory.parent / "runs").read_text() == "x"


def test_nothing_of_an_older_attempt_is_taken_for_the_new(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import os
        if not os.path.exists("../second"):
            open("metrics.json", "w").write('{"auc": 0.9}')
            print('{"step": 1, "loss": 1}')
        """,
        metrics_required=("auc",),
    )
    assert run(spec).status == "ok"
    assert read_result(spec.directory, 2) is None
    (spec.directory.parent / "second").touch()
    result = run(spec.model_copy(update={"attempt": 2}))
    assert (result.status, result.cause, result.metrics, result.attempt) == ("failed", "no_metric", {}, 2)
    assert read_result(spec.directory, 1) is None
    assert _follow(spec.directory)[0] == []


def test_a_directory_belongs_to_one_job(make_spec: MakeSpec) -> None:
    spec = make_spec()
    run(spec)
    with pytest.raises(BusyError, match="belongs to job j-1"):
        run(spec.model_copy(update={"id": "j-9", "attempt": 2}))


def test_attach_where_nothing_was_started_or_far_away(make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec()
    run(spec)
    started = read_started(spec.directory)
    assert started is not None
    far = started.identity._replace(host="elsewhere.example")

    async def main() -> None:
        with pytest.raises(NotFoundError):
            attach(tmp_path / "empty", started.identity)
        assert (await attach(spec.directory, far).wait()).status == "ok"  # the result is here, wherever it was made
        (spec.directory / "result.json").unlink()
        with pytest.raises(UnavailableError, match=r"elsewhere\.example"):
            attach(spec.directory, far)
        stale = started.identity._replace(start_time=started.identity.start_time + 1, pid=os.getpid())
        assert (await attach(spec.directory, stale).wait()).cause == "lost"

    asyncio.run(main())


def test_reports_arrive_while_the_job_runs(make_spec: MakeSpec) -> None:
    """The job goes on only after its first report was seen."""
    spec = make_spec(WAITS_FOR_FILE)

    async def main() -> list[int | None]:
        async with asyncio.timeout(HANG_S):
            running = await start(spec)
            seen = []
            async for report in running.reports():
                assert report.time_s >= 0
                seen.append(report.step)
                (spec.directory.parent / "go").touch()
            assert (await running.wait()).status == "ok"
            return seen

    assert asyncio.run(main()) == [1, 2]


def test_waiting_can_be_given_up_and_the_job_goes_on(make_spec: MakeSpec) -> None:
    spec = make_spec(WAITS_FOR_FILE)

    async def main() -> JobResult:
        async with asyncio.timeout(HANG_S):
            running = await start(spec)
            waiting = asyncio.create_task(running.wait())
            async for _ in running.reports():
                break
            waiting.cancel()
            await asyncio.wait([waiting])
            assert running.identity.alive()
            (spec.directory.parent / "go").touch()
            return await running.wait()

    assert asyncio.run(main()).status == "ok"


def test_without_pidfds_the_end_is_still_an_event(make_spec: MakeSpec) -> None:
    """In a Python from which pidfd_open was taken away before anything of ours was imported."""
    spec = make_spec(WAITS_FOR_FILE, metrics_required=("auc",))
    script = textwrap.dedent(
        """
        import os
        del os.pidfd_open
        import asyncio, pathlib, sys
        from runtime.jobs import JobSpec, start

        async def main():
            spec = JobSpec.model_validate_json(sys.stdin.read())
            running = await start(spec)
            async for report in running.reports():
                (spec.directory.parent / "go").touch()
            print((await running.wait()).status, running.identity.alive())

        asyncio.run(main())
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=spec.model_dump_json(),
        text=True,
        cwd=ROOT,
        timeout=HANG_S,
        capture_output=True,
        check=False,
    )
    assert done.stdout == "ok False\n", done.stderr


@pytest.mark.slow
def test_the_main_process_is_killed_at_any_moment_of_a_start(make_spec: MakeSpec) -> None:
    """Wherever it dies, the next one's `run` of the same attempt gives its result, and the command ran once."""
    script = textwrap.dedent(
        """
        import asyncio, sys
        from runtime.jobs import JobQueue, JobSpec
        spec = JobSpec.model_validate_json(sys.stdin.read())
        print("go", flush=True)
        asyncio.run(JobQueue(1).run(spec))
        """
    )
    chance = random.Random(20)
    for number in range(12):
        spec = make_spec("open('../' + 'runs', 'a').write('x')\nprint('{\"auc\": 1}')", job=f"j-{number}")
        spec = spec.model_copy(update={"directory": spec.directory / "job"})
        main = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        assert main.stdin is not None
        assert main.stdout is not None
        with main.stdin, main.stdout:
            main.stdin.write(spec.model_dump_json().encode())
            main.stdin.close()
            assert main.stdout.readline() == b"go\n"
            try:
                main.wait(chance.uniform(0, 0.15))
            except subprocess.TimeoutExpired:
                main.kill()
            main.wait()

        async def take_up(spec: JobSpec = spec) -> JobResult:
            async with asyncio.timeout(HANG_S):
                return await JobQueue(1).run(spec)

        result = asyncio.run(take_up())
        assert (result.status, result.metrics) == ("ok", {"auc": 1.0}), result.reason
        assert (spec.directory.parent / "runs").read_text() == "x"
