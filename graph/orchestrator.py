"""The research cycle by the names of its public contract: a thin face over the same graph, for callers without `async`.

    with MultiAgentOrchestrator("campaigns/breast_cancer") as orchestrator:
        answer = orchestrator.run_autonomous_cycle(1)

Nothing is decided here.  A cycle runs on a thread of its own, so `wait_for_completion=False` comes back as soon as its
jobs are under way.  Offline, and in `run_research_cycle`, the graph halts before its executor: decisions are logged,
nothing is submitted; a later `run_autonomous_cycle` of that number goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from agents.executors.constraints_file import read_constraints, write_learned
from agents.historians.training import JOB_STATUS, TrainingHistorian
from core.campaign import Campaign
from core.errors import ApprovalNeededError, ConfigError, NotFoundError
from core.events import AnyEvent, CampaignStarted
from core.settings import Settings, load_settings
from graph import stages
from graph.agent_registry import AgentRegistry
from graph.build import RECURSION_LIMIT
from graph.campaign import choose_models, context_of, find_or_create, one_cycle, open_cycle
from graph.context import Context
from graph.decisions import cycle_log
from graph.episode_listener import follow_episodes
from graph.job_back_end import job_back_end
from graph.loading import load_campaign
from graph.loop_thread import LoopThread
from graph.measure import measure_baseline
from graph.one_cycle import open_questions
from graph.state import CycleState
from memory.state_folder import StateFolder
from search.constraints import Region

__all__ = ["EXAMPLE", "MultiAgentOrchestrator"]

EXAMPLE = Path(__file__).parent.parent / "campaigns" / "breast_cancer"
"""The campaign of an orchestrator that is given none, and finds no `campaign.yaml` where it stands."""
HALT = ["executor", "historian"]
"""The nodes before which a cycle that only decides comes to a halt."""
EXPORT = "training_history.json"
CONSTRAINTS = "constraints.json"

Answer = dict[str, Any]


class MultiAgentOrchestrator:
    """Cycles of one campaign.  Use it as a context manager, or `close()` it: its jobs end with it.

    `campaign`: a Campaign, a campaign file or its folder.  State folder and experiments' folder as everywhere: from
    the settings (`ARC_MEMORY_DIR`, `ARC_EXPERIMENTS_DIR`, `RATCHET_HOME`, …), or `home`.  With `CONTROL_PLANE_URL` its
    jobs run there.  What a person wrote into `constraints.json` of the state folder is forbidden.  `recall=False` goes
    without memories of other campaigns.  Raises ModelError where a language model that the campaign names is not there.
    """

    def __init__(
        self,
        campaign: Campaign | Path | str | None = None,
        *,
        offline_mode: bool = False,
        home: Path | str | None = None,
        recall: bool = True,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.offline_mode = offline_mode
        settings = load_settings({"home": home}, {}, environment)
        self._folder = _folder(settings)
        self.campaign = _with_constraints(_campaign(campaign), self._folder.home / CONSTRAINTS)
        self._recall = recall
        self._log_episodes = settings.log_episodes
        self._ledger = self._folder.open_ledger()
        stored, _ = find_or_create(self._ledger, self.campaign)
        self.campaign_id = stored.id
        open_jobs = partial(job_back_end, url=settings.control_plane_url, wait_s=settings.control_plane_wait_s)
        self._thread = LoopThread(f"orchestrator of {stored.id}")
        try:
            self._thread.call(choose_models(self._ledger, stored))
            self._context: Context = context_of(self._folder, self._ledger, stored, open_jobs)
        except BaseException:
            self._thread.close()
            self._ledger.close()
            raise
        self._forget = [self._ledger.listen(self._context.history.apply), self._ledger.listen(self._heard)]
        self._waiting: set[asyncio.Event] = set()
        self._one_cycle_at_a_time = asyncio.Lock()
        self._cycles: dict[int, asyncio.Task[None]] = {}
        self.historian = TrainingHistorian(
            stored.definition, self._context.history, self._tell, self._folder.home / EXPORT
        )
        self.registry = AgentRegistry(self._context.council, self.historian)
        campaign = self.campaign
        self._tell(CampaignStarted(campaign_id=stored.id, name=campaign.name, kind=campaign.kind, seed=campaign.seed))

    # -------------------------------------------------------------------- calls
    def run_research_cycle(self, cycle_id: int) -> Answer:
        """The decisions of a cycle: direction, proposals, votes and rulings, all of them logged.  Submits nothing."""
        return self._thread.call(self._decide(cycle_id))

    def run_autonomous_cycle(
        self, cycle_id: int, wait_for_completion: bool = True, timeout: float | None = 3600
    ) -> Answer:
        """The whole cycle: decided, carried out, waited for, collected and integrated.

        `timeout` (seconds) bounds the waiting, not the jobs: when it is over the answer has what has finished, and
        the cycle goes on.  A failed job is part of the answer.  Raises BusyError when another process works on the
        campaign, BaselineError when its baseline does not run, ConfigError for a cycle that lies in the past,
        ApprovalNeededError when a person has to say yes first: then the same call goes on.
        """
        return self._thread.call(self._autonomous(cycle_id, wait_for_completion, timeout))

    def wait_for_training_completion(self, experiment_ids: Sequence[str], timeout: float | None = 3600) -> Answer:
        """Until these experiments (proposals or jobs) have finished, at most `timeout` seconds.

        Knows of each as soon as its job has ended.  Raises NotFoundError for an id that was never submitted.
        """
        return self._thread.call(self._completion(list(experiment_ids), timeout))

    def collect_and_integrate_results(self, experiment_ids: Sequence[str], cycle_id: int) -> Answer:
        """What those experiments gave, integrated by the historian; what is missing is named in `missing`."""
        return self._thread.call(self._integrate(list(experiment_ids), cycle_id))

    def decisions(self, cycle_id: int) -> Answer:
        """The decision log of a cycle: direction, proposals, votes, tallies, rulings, outcomes, with their reasons."""
        return cycle_log(self._context.history, self._context.history.cycle(cycle_id)).model_dump(mode="json")

    def close(self) -> None:
        """End running jobs and let go of the campaign, its models and its index.  Twice is once."""
        if not self._forget:
            return
        self._thread.call(self._context.aclose())
        self._thread.close()
        while self._forget:
            self._forget.pop()()
        self._ledger.close()

    def __enter__(self) -> MultiAgentOrchestrator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------- cycles
    async def _decide(self, cycle: int) -> Answer:
        self._must_be_next(cycle)
        async with self._at_work():
            state = None if self._finished(cycle) else await self._halted(cycle)
        return self._answer(cycle, state, status="completed" if self._finished(cycle) else "decided")

    async def _halted(self, cycle: int) -> CycleState:
        """The state of the cycle, run as far as it goes without its executor."""
        with open_cycle(self._folder, self.campaign_id) as graph:
            thread: Any = {
                "configurable": {"thread_id": f"{self.campaign_id}:{cycle}"},
                "recursion_limit": RECURSION_LIMIT,
            }
            at = await graph.aget_state(thread)
            if not at.values or (at.next and not set(at.next) <= set(HALT)):
                await graph.ainvoke(
                    None if at.next else {"cycle": cycle},
                    thread,
                    context=self._context,
                    durability="sync",
                    interrupt_before=HALT,
                )
                at = await graph.aget_state(thread)
            return cast("CycleState", at.values)

    async def _autonomous(self, cycle: int, wait: bool, timeout_s: float | None) -> Answer:
        if self.offline_mode:
            answer = await self._decide(cycle)
            reason = "offline mode: decisions are logged, nothing is submitted"
            answer["training_completion"] = {"status": "skipped", "reason": reason, "jobs": {}}
            return answer
        if not self._finished(cycle):
            self._must_be_next(cycle)
            if cycle not in self._cycles or self._cycles[cycle].done():
                self._cycles[cycle] = asyncio.create_task(self._carry_out(cycle))
            work = self._cycles[cycle]
            work.add_done_callback(lambda _: self._wake())
            await self._until(lambda: work.done() or (not wait and self._under_way(cycle)), timeout_s)
            if work.done():
                work.result()
        ids = self._submitted(cycle)
        whole = self._finished(cycle)
        answer = self._answer(cycle, await self._state(cycle), status="completed" if whole else "running")
        answer["training_completion"] = await self._completion(ids, 0)
        if wait or whole:
            answer["results_integration"] = await self._integrate(ids, cycle)
        return answer

    async def _carry_out(self, cycle: int) -> None:
        async with self._at_work():
            await measure_baseline(self._context)
            with open_cycle(self._folder, self.campaign_id) as graph:
                whole = await one_cycle(graph, self._context, cycle)
            if not whole and (asked := open_questions(self._context)):
                raise ApprovalNeededError(
                    f"cycle {cycle} waits for a person: {', '.join(asked)}",
                    where=f"campaign {self.campaign_id}",
                    hint="`python run_graph.py inbox`, then run the cycle again",
                    approval_id=asked[0],
                )

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        """One cycle after the other, by one process."""
        async with self._one_cycle_at_a_time:
            try:
                with self._ledger.leases.held(f"campaign {self.campaign_id}"):
                    if self._recall and self._context.recall is None:
                        opened = await asyncio.to_thread(self._folder.open_recall, self._ledger)
                        self._context.take_recall(opened)
                    with self._episodes():
                        yield
            finally:
                self._wake()

    async def _completion(self, ids: Sequence[str], timeout_s: float | None) -> Answer:
        history = self._context.history
        known = {p for c in history.cycles.values() for p in (*c.rulings, *c.outcomes)} | {*history.jobs}
        for name in ids:
            if name not in known:
                raise NotFoundError(f"no experiment {name!r} was submitted", where=f"campaign {self.campaign_id}")
        await self._until(lambda: all(self._status(name) for name in ids), timeout_s)
        jobs = {name: self._status(name) or "RUNNING" for name in ids}
        pending = [name for name, status in jobs.items() if status == "RUNNING"]
        return {
            "status": "timeout" if pending else "completed",
            "jobs": jobs,
            "total": len(jobs),
            "completed": sum(status == "COMPLETED" for status in jobs.values()),
            "failed": sum(status == "FAILED" for status in jobs.values()),
            "pending": pending,
        }

    async def _integrate(self, ids: Sequence[str], cycle: int) -> Answer:
        history = self._context.history
        by_job = {outcome.job_id: outcome.proposal_id for outcome in history.outcomes.values()}
        wanted = [by_job.get(name, name) for name in ids]
        results = {result["experiment_id"]: result for result in self.historian.results()}
        there = [results[name] for name in wanted if name in results]
        work = self._cycles.get(cycle)
        if work is not None and set(self._submitted(cycle)) <= set(results):
            await asyncio.shield(work)  # all jobs are in: the cycle's historian has the word
        answer = self.historian.integrate_experiment_results(there, cycle)
        write_learned(self._folder.home / CONSTRAINTS, self._learned_regions())
        answer["missing"] = [name for name in wanted if name not in results]
        return answer

    def _episodes(self) -> AbstractContextManager[None]:
        """Every cycle an episode, while this process has the campaign."""
        if not self._log_episodes:
            return nullcontext()
        stored = self._ledger.campaign(self.campaign_id)
        return follow_episodes(self._ledger, stored, self._folder.episodes, logging.getLogger(__name__).warning)

    # -------------------------------------------------------------------- parts
    def _answer(self, cycle: int, state: CycleState | None, *, status: str) -> Answer:
        told = self._context.history.cycle(cycle)
        if told.finished is not None:
            described, metrics = told.finished.stages, dict(told.finished.metrics)
        else:
            described = stages.describe(state, (), ()) if state and "agenda" in state else {}
            metrics = stages.count(state) if state and "agenda" in state else {}
        return {
            "cycle_id": cycle,
            "campaign_id": self.campaign_id,
            "status": status,
            "offline": self.offline_mode,
            "stages": described,
            "metrics": metrics,
            "decisions": [
                {
                    "experiment_id": event.ruling.proposal_id,
                    "proposer": told.proposals[event.ruling.proposal_id].proposal.proposer,
                    "config": told.carried_out(event.ruling.proposal_id).config,
                    "decision": event.ruling.decision,
                    "reason": event.ruling.reason,
                }
                for event in told.rulings.values()
            ],
            "training_completion": None,
            "results_integration": None,
        }

    async def _state(self, cycle: int) -> CycleState | None:
        if self._finished(cycle):
            return None
        with open_cycle(self._folder, self.campaign_id) as graph:
            found = await graph.aget_state({"configurable": {"thread_id": f"{self.campaign_id}:{cycle}"}})
            return cast("CycleState", found.values) if found.values else None

    def _learned_regions(self) -> list[Region]:
        return [Region.model_validate(lesson.region) for lesson in self._context.history.lessons() if lesson.region]

    def _submitted(self, cycle: int) -> list[str]:
        told = self._context.history.cycle(cycle)
        return [name for name, event in told.rulings.items() if event.ruling.decision in ("accept", "amend")]

    def _finished(self, cycle: int) -> bool:
        told = self._context.history.cycles.get(cycle)
        return told is not None and told.finished is not None

    def _under_way(self, cycle: int) -> bool:
        """Whether the cycle is decided: its jobs are running or queued."""
        jobs = self._context.history.jobs.values()
        return any(job.cycle == cycle and job.purpose == "proposal" for job in jobs)

    def _status(self, name: str) -> str | None:
        """The status of a finished experiment, by proposal or job; None while it is under way."""
        history = self._context.history
        if name in history.outcomes:
            return JOB_STATUS[history.outcomes[name].status]
        for cycle in history.cycles.values():
            if name in cycle.outcomes:
                return JOB_STATUS[cycle.outcomes[name].outcome.status]
        return None

    def _must_be_next(self, cycle: int) -> None:
        last = self._context.history.last_finished_cycle
        if cycle < 1 or (cycle <= last and not self._finished(cycle)):
            raise ConfigError(
                f"cycle {cycle} lies before the last finished one", where=self.campaign_id, hint=f"try {last + 1}"
            )

    async def _until(self, done: Callable[[], bool], timeout_s: float | None) -> None:
        """Until `done`, looked at after every event, or until the time is over."""
        news = asyncio.Event()
        self._waiting.add(news)
        try:
            async with asyncio.timeout(timeout_s):
                while not done():
                    news.clear()
                    await news.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(news)

    def _heard(self, _: AnyEvent) -> None:
        self._wake()

    def _wake(self) -> None:
        for news in self._waiting:
            news.set()

    def _tell(self, *events: AnyEvent) -> None:
        """Told on the thread of the cycles, whoever tells it: the history has one writer."""

        async def tell() -> None:
            self._context.tell(*events)

        if self._thread.is_this_thread:
            self._context.tell(*events)
        else:
            self._thread.call(tell())


def _campaign(given: Campaign | Path | str | None) -> Campaign:
    if isinstance(given, Campaign):
        return given
    if given is not None:
        return load_campaign(Path(given))
    return load_campaign(Path("campaign.yaml") if Path("campaign.yaml").is_file() else EXAMPLE)


def _with_constraints(campaign: Campaign, path: Path) -> Campaign:
    """The campaign that forbids, too, what a person wrote into the file about its parameters."""
    regions = [r for r in read_constraints(path, learned=False) if set(r.conditions) <= set(campaign.space)]
    told = [region.model_dump(mode="json") for region in regions]
    return campaign.model_copy(update={"forbidden": (*campaign.forbidden, *told)}) if told else campaign


def _folder(settings: Settings) -> StateFolder:
    return StateFolder(
        settings.home,
        ledger_url=settings.ledger_url or None,
        experiments=settings.experiments_dir,
        episodes=settings.episodes_dir,
        embedding_model=settings.embedding_model,
    )
