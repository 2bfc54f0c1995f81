"""Training jobs from plain code: submit, wait, collect.  No `await`, and no campaign has to run.

Such as
    executor = get_training_executor(campaign=load_campaign(Path("campaign.yaml")))
    executor.submit_batch([{"experiment_id": "e1", "changes": {"x": 0.2}}, {"experiment_id": "e2", "config": {...}}])
    executor.wait_for_completion(["e1", "e2"], timeout=600)
    executor.collect_results("e1")["metrics"]
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from agents.training.back_ends import BackEnd, Here, There
from agents.training.proposals import ConfigOf, Proposals, TrainingExecutionError, refused, unsubmitted
from agents.training.works import Works
from core.campaign import Campaign
from core.errors import RatchetError
from core.settings import load_settings
from memory.ledger import Ledger
from runtime.control_plane.client import ControlPlaneClient
from runtime.control_plane.wire import Approval, Decision, TrainingJob, TrainingResults, TrainRequest, Work
from runtime.jobs import JobState

__all__ = ["ConfigOf", "JobStatus", "TrainingExecutionError", "TrainingExecutor", "get_training_executor"]

JobStatus = JobState
"""PENDING, QUEUED, RUNNING, COMPLETED, FAILED, CANCELLED."""

T = TypeVar("T")


class TrainingExecutor:
    """Runs proposals as jobs, here or at a control plane.  Made by `get_training_executor`.

    A proposal is a mapping: `experiment_id`, then `config` (whole) or `changes` (of the campaign's baseline), and, as
    one likes, `seed`, `type` or `proposal_type`, `risk_level`, `retries`.  The same proposal submitted again is the
    same job.  Every call may be made from any thread; each blocks until it is answered.
    """

    def __init__(self, back_end: Callable[[], BackEnd], proposals: Proposals, poll_interval: float) -> None:
        self.poll_interval = poll_interval
        self._proposals = proposals
        self._refused: dict[str, TrainingJob] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="training executor", daemon=True)
        self._thread.start()
        try:
            self._back_end = self._call(_opened(back_end))
        except BaseException:
            self._stop()
            raise

    def submit_job(self, proposal: Mapping[str, Any], requires_approval: bool = False) -> TrainingJob:
        """Submit one proposal.  Over the limit it waits in line; with `requires_approval` it is PENDING until a person
        has answered.  Raises TrainingExecutionError when it cannot be submitted."""
        request = self._proposals.request(proposal, requires_approval)
        job = self._call(self._back_end.submit(request))
        self._refused.pop(request.experiment_id, None)
        return job

    def submit_batch(
        self, proposals: Iterable[Mapping[str, Any]], requires_approval: bool = False
    ) -> list[TrainingJob]:
        """Submit several, side by side; answers one job each, in order.

        One that cannot be submitted is FAILED, with the reason, and does not stop the others.
        """
        told = list(proposals)
        jobs: list[TrainingJob | None] = [None] * len(told)
        requests: dict[int, TrainRequest] = {}
        for position, proposal in enumerate(told):
            try:
                requests[position] = self._proposals.request(proposal, requires_approval)
            except TrainingExecutionError as error:
                jobs[position] = self._refuse(proposal, error)

        async def submit_all() -> list[TrainingJob | BaseException]:
            return await asyncio.gather(*map(self._back_end.submit, requests.values()), return_exceptions=True)

        for position, answer in zip(requests, self._call(submit_all()), strict=True):
            if isinstance(answer, TrainingJob):
                jobs[position] = answer
                self._refused.pop(answer.experiment_id, None)
            elif isinstance(answer, RatchetError):
                jobs[position] = self._refuse(told[position], answer)
            else:
                raise answer
        return [job for job in jobs if job is not None]

    def wait_for_completion(self, experiment_ids: Sequence[str], timeout: float | None = 3600) -> dict[str, JobStatus]:
        """Wait for all of them at once; answers the state of each.  `timeout` in seconds, None: as long as it takes.

        A job that has not finished by then keeps the state it is in, such as RUNNING, and goes on.
        """
        known = {name: self._refused[name].status for name in experiment_ids if name in self._refused}
        asked = [name for name in dict.fromkeys(experiment_ids) if name not in known]
        known |= self._call(self._back_end.wait(asked, timeout))
        return {name: known[name] for name in experiment_ids}

    def get_job_status(self, experiment_id: str) -> JobStatus:
        """How a job stands now.  Raises TrainingExecutionError when there is none of that id."""
        return self.job(experiment_id).status

    def job(self, experiment_id: str) -> TrainingJob:
        """A job with its times, attempt and reason."""
        return self._refused.get(experiment_id) or self._call(self._back_end.job(experiment_id))

    def list(self) -> list[TrainingJob]:
        """Every job that is known."""
        return self._call(self._back_end.jobs())

    def collect_results(self, experiment_id: str) -> dict[str, Any]:
        """experiment_id, config, metrics, status, duration_seconds, proposal_type, risk_level of a finished job.

        Raises TrainingExecutionError while it has not finished.  `results` tells more.
        """
        return self.results(experiment_id).figures()

    def results(self, experiment_id: str) -> TrainingResults:
        """All that is known of a finished job: cause and reason of a failure, noise, attempt, resources."""
        refused = self._refused.get(experiment_id)
        if refused is not None:
            return unsubmitted(refused)
        found = self._call(self._back_end.results(experiment_id))
        if found is None:
            status = self.get_job_status(experiment_id)
            raise TrainingExecutionError(
                f"experiment {experiment_id} has not finished: {status}",
                hint="wait_for_completion first; a PENDING one waits for an approval",
            )
        return found

    def cancel(self, experiment_id: str) -> bool:
        """End a job that waits or runs; returns when its processes are dead.  False when it had finished before."""
        if experiment_id in self._refused or self.job(experiment_id).finished:
            return False
        return self._call(self._back_end.cancel(experiment_id)).status == JobState.CANCELLED

    def approvals(self) -> Sequence[Approval]:
        """The jobs that wait for a person."""
        return self._call(self._back_end.approvals())

    def decide(self, approval_id: str, *, approve: bool, reason: str = "") -> Approval:
        """Answer an approval, once.  Raises TrainingExecutionError when it was answered before."""
        decision = Decision(decision="approve" if approve else "reject", reason=reason)
        return self._call(self._back_end.decide(approval_id, decision))

    def close(self, *, cancel: bool = True) -> None:
        """End the jobs of this process, or leave them to their keepers: the next executor takes them up."""
        if self._thread.is_alive():
            try:
                self._call(self._back_end.close(cancel=cancel))
            finally:
                self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    # ------------------------------------------------------------------- parts

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        if not self._thread.is_alive():
            work.close()
            raise TrainingExecutionError("this executor was closed", hint="get_training_executor makes another")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise TrainingExecutionError("this executor was closed meanwhile") from None
        except TrainingExecutionError:
            raise
        except RatchetError as error:
            raise TrainingExecutionError(error.what, where=error.where, hint=error.hint) from error
        except BaseException:
            future.cancel()  # Ctrl-C: nobody waits for it any more
            raise

    def _refuse(self, proposal: Mapping[str, Any], error: RatchetError) -> TrainingJob:
        job = refused(proposal, error)
        self._refused[job.experiment_id] = job
        return job

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _opened(make: Callable[[], BackEnd]) -> BackEnd:
    back_end = make()
    await back_end.open()
    return back_end


def get_training_executor(
    control_plane_url: str | None = None,
    poll_interval: float = 10,
    max_concurrent_jobs: int = 3,
    *,
    campaign: Campaign | None = None,
    config_of: ConfigOf | None = None,
    home: Path | None = None,
    token: str | None = None,
) -> TrainingExecutor:
    """An executor at a control plane (`control_plane_url`, else CONTROL_PLANE_URL), else with a queue of its own.

    `poll_interval` is taken for the sake of old callers and not used: nothing is polled, a finished job is an event.
    `max_concurrent_jobs` is for jobs of this process; a control plane has its own limit.  `campaign` says what command
    runs and what the baseline is; a control plane that knows exactly one campaign needs none.  `config_of` makes a
    configuration of a proposal.  `home` is the state folder (default as on the command line); one process at a time
    has an executor there.  `token` default: CONTROL_PLANE_TOKEN.

    Raises TrainingExecutionError when another process has one, or when no campaign says what to run.
    """
    settings = load_settings({"home": home, "control_plane_url": control_plane_url}, {})
    if settings.control_plane_url:
        url = settings.control_plane_url
        return TrainingExecutor(
            lambda: There(ControlPlaneClient(url, token)), Proposals(campaign, config_of), poll_interval
        )
    if campaign is None:
        raise TrainingExecutionError(
            "nothing says what command a job is to run", where="campaign", hint="pass campaign=, or a control_plane_url"
        )
    works = Works({campaign.name: Work.of(campaign)})
    folder = settings.home.absolute()
    experiments = (settings.experiments_dir or folder / "experiments").absolute()

    def here() -> Here:
        ledger = Ledger(settings.ledger_url or folder / "ledger.db", check=True)
        return Here(ledger, experiments, works, max_concurrent_jobs)

    return TrainingExecutor(here, Proposals(campaign, config_of), poll_interval)
