"""Running a campaign: baseline, cycle after cycle, control arms, verdict; stopped at any point, gone on with later.

One process at a time works on a campaign (a lease with its pid).  The ledger says which cycles are whole; the thread
of an unfinished cycle goes on from its last checkpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agents.live.generation.by_model import model_plan
from agents.model_seats import NONE, asked_models
from agents.production.instruments import note_cycles
from agents.roles import RecallView
from core.campaign import Campaign
from core.errors import RatchetError
from core.events import CampaignFinished, CampaignInterrupted, CampaignResumed, CampaignStarted
from graph import build
from graph.asking import Callback, Person
from graph.checkpoints import open_checkpoints
from graph.code_campaign import open_code
from graph.context import CALLBACK_TIMEOUT_S, Context, GuidanceCallback
from graph.council import seat_council
from graph.job_back_end import job_back_end
from graph.live_campaign import LiveDoor, LiveSession, open_live
from graph.loading import space_of
from graph.measure import BaselineError, control_arm, measure_baseline, reach_verdict
from graph.one_cycle import Cycle, Stop, inquiry_of, one_cycle, open_questions
from graph.sealed import sealed_evaluation
from graph.seat_models import SeatModels, with_chosen_models
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from memory.lineage import root_of
from memory.state_folder import StateFolder
from runtime.jobs import Jobs
from runtime.models.recording import check_recording

__all__ = ["Ending", "Stop", "context_of", "find_or_create", "one_cycle", "open_cycle", "opened", "run_campaign"]

KEPT_THREADS = 5
"""Cycles whose checkpoints are kept; older ones are pruned when a cycle ends."""

TIME_IS_UP = "time"
"""The reason to stop that is a budget, not a person."""


@dataclass(frozen=True)
class Ending:
    """Why a run ended: `status` finished, budget, interrupted, waiting (for a person); `reason` for a person.

    `load`: what the load on a live service has counted, such as `requests` and `failed`.
    """

    status: str
    reason: str
    load: Mapping[str, Any] = field(default_factory=dict)


def find_or_create(ledger: Ledger, campaign: Campaign, *, new: bool = False) -> tuple[StoredCampaign, bool]:
    """The unfinished campaign that asks for the same, with the budgets of `campaign`, else a new one; and whether it is
    new.  New budgets are only stored when it is run: by whoever gets its lease.

    One whose baseline failed is not gone on with: its script has been mended since, or fails again at once.
    """
    if not new:
        for stored in reversed(ledger.campaigns()):
            same = stored.definition.name == campaign.name and stored.fingerprint == campaign.fingerprint()
            if same and stored.status not in ("finished", "failed"):
                return replace(stored, definition=campaign), False
    return ledger.create_campaign(campaign), True


async def run_campaign(
    folder: StateFolder,
    ledger: Ledger,
    stored: StoredCampaign,
    *,
    open_recall: Callable[[], RecallView] | None = None,
    open_jobs: Callable[[StoredCampaign], Jobs] = job_back_end,
    stop: Stop | None = None,
    record: Path | None = None,
    trust_code: bool = False,
    live: LiveDoor | None = None,
    person: Person | None = None,
    on_approval: Sequence[Callback] = (),
    on_guidance: Sequence[GuidanceCallback] = (),
    callback_timeout_s: float = CALLBACK_TIMEOUT_S,
) -> Ending:
    """Run or go on with `stored` until its target, its budget, `stop`, or a question that nobody here answers.

    `open_recall` is called in a thread while the baseline runs (loading the index and the model takes a second); what
    it opened is closed at the end.
    `open_jobs` says where its jobs run (default: in this process).  What language models answer is written to `record`.
    `live`: what the door hands in for a campaign of kind `live`, whose service is started or found again.
    `trust_code`: a person says that candidates of a code campaign may run where there is no isolation for them.
    `person` is who can be asked while it runs; `on_approval` are asked before.
    `on_guidance` are callables, plain or async, that are asked at the beginning of every cycle for sentences of
    guidance: `(Case) -> str | Iterable[str] | None`; each has `callback_timeout_s` seconds.

    Raises BusyError when another process works on it, ModelError when its language model is not there, BaselineError
    when the baseline does not run.  What was finished is kept, and the same call goes on from there.
    """
    with ledger.leases.held(f"campaign {stored.id}"):
        stored = ledger.update_campaign(stored.id, status="running", definition=stored.definition, new_session=True)
        async with opened(folder, ledger, stored, open_jobs, record, trust_code=trust_code) as context:
            context.inquiry = inquiry_of(context, person, on_approval)
            context.on_guidance, context.callback_timeout_s = tuple(on_guidance), callback_timeout_s
            async with open_live(folder, ledger, stored, live, trusted=trust_code) as session:
                ending = await _run(folder, context, stored, stop or Stop(), open_recall, session)
            return ending if session is None else replace(ending, load=session.load)


@asynccontextmanager
async def opened(
    folder: StateFolder,
    ledger: Ledger,
    stored: StoredCampaign,
    open_jobs: Callable[[StoredCampaign], Jobs] = job_back_end,
    record: Path | None = None,
    *,
    trust_code: bool = False,
) -> AsyncIterator[Context]:
    """The context of a campaign whose lease the caller has: its models chosen, its history listening.

    At the end its jobs end, and models and index are let go of.  Raises ModelError.
    """
    await choose_models(ledger, stored)
    context = context_of(folder, ledger, stored, open_jobs, record, trust_code=trust_code)
    forget = ledger.listen(context.history.apply)
    try:
        yield context
    finally:
        try:
            await context.aclose()
        finally:
            forget()


async def _run(
    folder: StateFolder,
    context: Context,
    stored: StoredCampaign,
    stop: Stop,
    open_recall: Callable[[], RecallView] | None,
    live: LiveSession | None,
) -> Ending:
    campaign, ledger, session = stored.definition, context.ledger, stored.sessions
    # told by every session, kept once: the first may have been killed before it could tell
    context.tell(CampaignStarted(campaign_id=stored.id, name=campaign.name, kind=campaign.kind, seed=campaign.seed))
    if session > 1:
        context.tell(CampaignResumed(campaign_id=stored.id, session=session))
    deadline = (
        asyncio.get_running_loop().call_later(campaign.budget.time_s, stop.request, TIME_IS_UP)
        if campaign.budget.time_s
        else None
    )
    try:
        await _prepare(context, open_recall, live)
        ending = await _cycles(folder, context, stop)
    except BaseException as error:
        ledger.update_campaign(stored.id, status="failed" if isinstance(error, BaselineError) else "interrupted")
        context.tell(CampaignInterrupted(campaign_id=stored.id, session=session, reason=_why(error, stop)))
        raise
    finally:
        if deadline is not None:
            deadline.cancel()
    if ending.status in ("interrupted", "waiting"):
        context.tell(CampaignInterrupted(campaign_id=stored.id, session=session, reason=ending.reason))
    else:
        context.tell(CampaignFinished(campaign_id=stored.id, session=session, reason=ending.reason))
    # one that ended on its budget can be gone on with when the budget is raised
    status = ending.status if ending.status in ("finished", "waiting") else "interrupted"
    ledger.update_campaign(stored.id, status=status)
    return ending


def _why(error: BaseException, stop: Stop) -> str:
    """What ended it, for a person: of what was cancelled, why."""
    if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
        return stop.reason or "stopped at once"
    return error.what if isinstance(error, RatchetError) else f"{type(error).__name__}: {error}"


async def _prepare(context: Context, open_recall: Callable[[], RecallView] | None, session: LiveSession | None) -> None:
    """Measure the baseline, or listen to the service, and open recall, side by side."""
    opening = asyncio.create_task(asyncio.to_thread(open_recall)) if open_recall else None
    try:
        if session is None:
            await measure_baseline(context)
        else:
            context.live = await session.open(context.history)
    finally:
        if opening is not None:
            context.take_recall(await opening)


async def _cycles(folder: StateFolder, context: Context, stop: Stop) -> Ending:
    history, campaign = context.history, context.campaign
    with open_cycle(folder, context.campaign_id) as cycle_graph:
        await _prune(cycle_graph, context.campaign_id, history.last_finished_cycle)  # a kill may have come before it
        while not (ending := _ending(context, stop)):
            number = history.last_finished_cycle + 1
            if await one_cycle(cycle_graph, context, number, stop):
                note_cycles(number)
                await _prune(cycle_graph, context.campaign_id, number)
            elif not stop.reason:
                if open_ones := open_questions(context):
                    return Ending("waiting", f"cycle {number} waits for a person: {', '.join(open_ones)}")
                return Ending("interrupted", f"cycle {number} did not come to its end")
    if ending.status == "interrupted":
        return ending

    def stopped() -> bool:
        return stop.reason not in ("", TIME_IS_UP)  # what time has ended is still compared and judged

    for arm in campaign.control:
        await control_arm(context, arm, len(history.experiments()), stopped)
    if stopped():
        return Ending("interrupted", stop.reason)
    best = history.best()
    if best is not None:
        await reach_verdict(context, best)
        await sealed_evaluation(context, best)
    return ending


def _ending(context: Context, stop: Stop) -> Ending | None:
    """Whether it is time to end, and why."""
    history, campaign = context.history, context.campaign
    if stop.reason:
        return Ending("budget" if stop.reason == TIME_IS_UP else "interrupted", stop.reason)
    best = history.best()
    if campaign.until is not None and best is not None and campaign.until.met(best.outcome.metrics):
        target = f"{campaign.until.metric} {campaign.until.relation} {campaign.until.value:g}"
        return Ending("finished", f"target reached: {target}")
    if history.last_finished_cycle >= campaign.budget.cycles:
        reason = f"all {campaign.budget.cycles} cycles done"
        return Ending("budget" if campaign.until is not None else "finished", reason)
    if campaign.budget.jobs is not None and len(history.experiments()) >= campaign.budget.jobs:
        return Ending("budget", f"all {campaign.budget.jobs} jobs spent")
    return None


async def choose_models(ledger: Ledger, stored: StoredCampaign) -> None:
    """Settle which language models the campaign has.  Raises ModelError when one asked for by name is not there."""
    if _asks_models(stored.definition):
        history = History.load(ledger, stored.id)
        await SeatModels(stored.definition, stored.id, ledger, history).choose()


def _asks_models(campaign: Campaign) -> bool:
    """Whether any seat, or a persona on it, is to ask a language model."""
    return any(spec != NONE for spec in asked_models(campaign))


@contextmanager
def open_cycle(folder: StateFolder, campaign_id: str) -> Iterator[Cycle]:
    """The compiled cycle with the campaign's checkpoints."""
    with open_checkpoints(folder.checkpoints / f"{campaign_id}.db") as saver:
        yield build.build(saver)


async def _prune(graph: Cycle, campaign_id: str, number: int) -> None:
    """Forget the checkpoints of the cycle that is `KEPT_THREADS` back."""
    if number > KEPT_THREADS and graph.checkpointer:
        await graph.checkpointer.adelete_thread(f"{campaign_id}:{number - KEPT_THREADS}")  # type: ignore[union-attr]


def context_of(
    folder: StateFolder,
    ledger: Ledger,
    stored: StoredCampaign,
    open_jobs: Callable[[StoredCampaign], Jobs] = job_back_end,
    record: Path | None = None,
    *,
    trust_code: bool = False,
) -> Context:
    """What the nodes of a campaign are handed, without recall; the caller keeps its history listening."""
    code = open_code(folder, ledger, stored, trusted=trust_code) if stored.definition.kind == "code" else None
    history = History.load(ledger, stored.id)
    campaign = with_chosen_models(stored.definition, history)
    models = None
    if _asks_models(campaign):
        if record is not None:
            check_recording(record)
        asked = campaign if campaign.live is None else campaign.model_copy(update={"model": model_plan(campaign.model)})
        models = SeatModels(asked, stored.id, ledger, history, record=record)
    return Context(
        campaign_id=stored.id,
        campaign=campaign,
        space=space_of(campaign),
        council=seat_council(campaign),
        models=models,
        code=code,
        candidates=folder.open_candidates(ledger) if code else None,
        ledger=ledger,
        history=history,
        jobs=open_jobs(stored),
        recall=None,
        experiments_folder=folder.experiments,
        clock=ledger.clock,
        origin=root_of(ledger, stored.id),
    )
