"""The job: a proposal's configuration run as a real process, once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np

from agents.executors.judging import lay_out_candidate, with_judgement
from agents.registry import executor
from agents.roles import Executor, Kit
from core.campaign import Campaign
from core.errors import BusyError
from core.events import JobReported, JobStarted, Purpose
from core.ids import content_id
from core.records import Config, Experiment, Outcome, Proposal
from runtime.jobs import (
    JobReport,
    JobResult,
    Jobs,
    JobSpec,
    Started,
    StopRule,
    read_reports,
    read_result,
    read_started,
    resolve_command,
)

__all__ = ["Purpose", "job", "job_id", "run_once", "stop_rule"]


@executor("job")
def job() -> Executor:
    """Runs the campaign's command on the proposal's configuration with the campaign's seed.

    The same configuration and seed in the same campaign is the same job and runs once, whoever asks for it and
    however often the program is killed in between.  A failed job is an outcome.
    """

    async def execute(proposal: Proposal, kit: Kit) -> Outcome:
        assert kit.campaign is not None
        return await run_once(
            kit,
            proposal.config,
            seed=kit.campaign.seed,
            purpose="proposal",
            proposal_id=proposal.id,
            cycle=proposal.cycle,
            rule=stop_rule(kit.campaign, kit.history),
        )

    return execute


def job_id(campaign_id: str, config: Config, seed: int, command: Sequence[str] = ()) -> str:
    """The id, the effect's key and the folder of a job; `command` where it is not the campaign's own."""
    return content_id("j", campaign_id, config, seed, *([list(command)] if command else []))


async def run_once(
    kit: Kit,
    config: Config,
    *,
    seed: int,
    purpose: Purpose,
    proposal_id: str,
    cycle: int = 0,
    rule: StopRule | None = None,
    other_command: bool = False,
) -> Outcome:
    """The outcome of the job: the stored one when it has finished before, else that of the process.

    A process that outlived the program is attached to; one that is gone without a result is lost, and tried again
    as often as the campaign's `retries` say.  Raises BusyError when another process has taken the job over.
    """
    campaign, effects, jobs = kit.campaign, kit.effects, kit.jobs
    assert campaign is not None
    assert effects is not None
    assert jobs is not None
    assert kit.experiments_folder is not None
    spec = make_spec(kit, campaign, config, seed, rule, other_command=other_command)
    async with _turn(jobs, spec.id):
        effect = effects.begin(spec.id, "job", kit.campaign_id, {"config": config, "seed": seed})
        if effect.state == "finished":
            return Outcome.model_validate_json(effect.result).model_copy(update={"proposal_id": proposal_id})
        if campaign.kind == "code" and not read_started(spec.directory):
            first = _folder_of(kit, job_id(kit.campaign_id, campaign.baseline, campaign.seed))
            await asyncio.to_thread(lay_out_candidate, kit, campaign, config, seed, spec.directory, first)

        def reported(report: JobReport) -> None:
            told = dict(report.metrics) if report.step is None else {"step": report.step, **report.metrics}
            kit.emit(JobReported(campaign_id=kit.campaign_id, cycle=cycle, job_id=spec.id, metrics=told))

        def started(running: Started) -> None:
            effects.started(effect, json.dumps({"attempt": running.attempt, "identity": list(running.identity)}))
            tell_started(running.attempt)

        known: set[int] = set()

        def tell_started(attempt: int) -> None:
            known.add(attempt)
            kit.emit(
                JobStarted(
                    campaign_id=kit.campaign_id,
                    cycle=cycle,
                    job_id=spec.id,
                    proposal_id=proposal_id,
                    purpose=purpose,
                    config=config,
                    seed=seed,
                    attempt=attempt,
                    directory=str(spec.directory),
                )
            )

        lost = 0
        attempt = first_attempt(spec)
        while True:
            result = await jobs.run(spec.model_copy(update={"attempt": attempt}), on_report=reported, on_start=started)
            if result.cause != "lost" or lost == campaign.retries:
                break
            lost += 1
            attempt += 1
        if result.attempt not in known and read_started(spec.directory) is not None:
            tell_started(result.attempt)  # it ended before anybody alive had seen it start
        outcome = as_outcome(result, spec, proposal_id, seed, campaign)
        if campaign.kind == "code":
            outcome = await asyncio.to_thread(with_judgement, outcome, spec.directory)
        if not effects.finish(effect, outcome.model_dump_json()):
            raise BusyError(
                f"job {spec.id} was taken over by another process",
                where=f"campaign {kit.campaign_id}",
                hint="let that process go on; its result counts",
            )
        return outcome


_turns: WeakKeyDictionary[Jobs, WeakValueDictionary[str, asyncio.Lock]] = WeakKeyDictionary()


def _turn(jobs: Jobs, job_id: str) -> asyncio.Lock:
    """Whoever asks for a job that is in hand waits for its outcome: best and baseline may be the same configuration."""
    return _turns.setdefault(jobs, WeakValueDictionary()).setdefault(job_id, asyncio.Lock())


def _folder_of(kit: Kit, name: str) -> Path:
    """The folder of a job that may have been run for the campaign that this one was forked from."""
    assert kit.experiments_folder is not None
    effect = None if kit.effects is None else kit.effects.get(name)
    ran = effect is not None and effect.state == "finished" and effect.kind == "job"
    return kit.experiments_folder / (Outcome.model_validate_json(effect.result).job_id if ran and effect else name)


def first_attempt(spec: JobSpec) -> int:
    """The attempt to look at first: the latest one started, or the next when a shutdown had cancelled that."""
    started = read_started(spec.directory)
    if started is None:
        return 1
    result = read_result(spec.directory, started.attempt)
    return started.attempt + (result is not None and result.status == "cancelled")


def make_spec(
    kit: Kit, campaign: Campaign, config: Config, seed: int, rule: StopRule | None, *, other_command: bool = False
) -> JobSpec:
    """What the runtime needs to know to run the campaign's command on `config`.

    `other_command`: `campaign` stands for the stored one with another command, and its jobs are others.
    """
    assert kit.experiments_folder is not None
    name = job_id(kit.campaign_id, config, seed, campaign.command if other_command else ())
    directory = kit.experiments_folder / name
    required = tuple(dict.fromkeys((campaign.objective.metric, *campaign.metrics)))
    return JobSpec(
        id=name,
        directory=directory,
        command=resolve_command(campaign.command, Path(campaign.here), directory / "config.json", directory),
        config=config,
        seed=seed,
        environment=dict(campaign.environment),
        limits=campaign.limits,
        metrics_required=required,
        patterns=dict(campaign.patterns),
        stop_rule=rule,
    )


def stop_rule(campaign: Campaign, history: Sequence[Experiment]) -> StopRule | None:
    """When a job of this cycle is hopeless: per step, the quantile of what the finished jobs reported there.

    It depends on earlier cycles only, so it is the same however the jobs of a cycle are timed.
    Source: the median stopping rule of Golovin et al., Google Vizier, 2017.
    """
    plan = campaign.early_stop
    if plan is None:
        return None
    curves = [e.outcome.curve for e in history if e.outcome.ok and e.outcome.curve]
    if len(curves) < plan.min_jobs:
        return None
    share = plan.quantile if plan.goal == "maximize" else 1 - plan.quantile
    thresholds: dict[int, float] = {}
    for step in sorted({step for curve in curves for step, _ in curve if step >= plan.after_step}):
        told = [value for curve in curves for at, value in curve if at == step]
        if len(told) >= plan.min_jobs:
            thresholds[step] = float(np.quantile(told, share))
    return StopRule(metric=plan.metric, goal=plan.goal, thresholds=thresholds) if thresholds else None


def as_outcome(result: JobResult, spec: JobSpec, proposal_id: str, seed: int, campaign: Campaign) -> Outcome:
    """The runtime's result as the record that the council keeps."""
    curve: tuple[tuple[int, float], ...] = ()
    if campaign.early_stop is not None:
        watched = campaign.early_stop.metric
        reports = read_reports(spec.directory)
        curve = tuple((r.step, r.metrics[watched]) for r in reports if r.step is not None and watched in r.metrics)
    return Outcome(
        job_id=spec.id,
        proposal_id=proposal_id,
        status=result.status,
        config=spec.config,
        seed=seed,
        metrics=dict(result.metrics),
        noise=dict(result.noise),
        cause=result.cause,
        reason=result.reason,
        curve=curve,
        steps=result.steps,
        duration_s=result.duration_s,
        cpu_s=result.cpu_s,
        peak_memory_mb=result.peak_memory_mb,
        attempt=result.attempt,
        isolation=dict(result.isolation),
    )
