"""`run` and `resume`: a campaign in the foreground, stopped with Ctrl-C, gone on with by the same command."""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.campaign import Campaign
from core.errors import (
    ApprovalNeededError,
    BudgetError,
    BusyError,
    ModelBudgetError,
    ModelError,
    RatchetError,
    UsageError,
)
from core.settings import Settings
from service.commands.starting import may_run, run_detached
from service.escape import escaped
from service.output import Output
from service.state import campaign_defaults, campaign_overrides, open_folder, pick_campaign, resume_command, settings_of

if TYPE_CHECKING:
    from core.events import AnyEvent
    from graph.asking import Person
    from graph.campaign import Ending, Stop
    from memory.ledger import Ledger, StoredCampaign
    from memory.state_folder import StateFolder
    from service.progress import Progress

__all__ = [
    "begin",
    "broken_off",
    "carry_out",
    "definition_of",
    "evolve",
    "go_on",
    "hear_guidance",
    "listeners",
    "resume",
    "run",
    "run_stored",
    "show_end",
]

TERMINATION_GRACE_S = 5.0
TICK_S = 0.5
HEAR_S = 1.0
NO_LOAD: Mapping[str, Any] = {}


def run(args: argparse.Namespace, output: Output) -> int:
    """`run CAMPAIGN.yaml`"""
    campaign = definition_of(args)
    if args.dry_run:
        return _dry_run(campaign, output)
    folder = open_folder(args)
    with folder.open_ledger(check=True) as ledger:
        stored = begin(args, output, ledger, campaign)
        if args.detach:
            return run_detached(args, output, folder, ledger, stored.id)
        return run_stored(args, output, folder, ledger, stored)


def definition_of(args: argparse.Namespace) -> Campaign:
    """The campaign of the file, as the other words want it."""
    from graph.loading import load_campaign

    overrides = {**campaign_overrides(args), **_budgets(args), **model_choice(args)}
    return load_campaign(Path(args.campaign_file), overrides, defaults=campaign_defaults(args))


def begin(args: argparse.Namespace, output: Output, ledger: Ledger, campaign: Campaign) -> StoredCampaign:
    """The campaign in the ledger: a new one, or the unfinished one that asks for the same."""
    from graph.campaign import find_or_create

    may_run(args, ledger, campaign)
    stored, new = find_or_create(ledger, campaign, new=args.new)
    if not new:
        output.say(f"going on with {stored.id} (--new starts afresh)")
    return stored


def evolve(args: argparse.Namespace, output: Output) -> int:
    """`evolve CAMPAIGN.yaml`: `run`, for campaigns of kind `code` only."""
    from graph.campaign_file import read_campaign

    campaign = read_campaign(Path(args.campaign_file), campaign_overrides(args))
    if campaign.kind != "code":
        raise UsageError(
            f"{campaign.name} is a campaign of kind {campaign.kind}",
            where=args.campaign_file,
            hint=f"python run_graph.py run {args.campaign_file}",
        )
    return run(args, output)


def resume(args: argparse.Namespace, output: Output) -> int:
    """`resume [ID]`"""
    folder = open_folder(args, must_exist=True)
    with folder.open_ledger(check=True) as ledger:
        stored = go_on(args, ledger)
        if args.detach:
            return run_detached(args, output, folder, ledger, stored.id)
        return run_stored(args, output, folder, ledger, stored)


def go_on(args: argparse.Namespace, ledger: Ledger) -> StoredCampaign:
    """The campaign to resume, with the budgets that the words ask for."""
    if args.model is not None:
        raise UsageError(
            "a campaign keeps its model", where="--model", hint="leave it out, or start anew with `run … --model`"
        )
    from graph.budgets import with_budgets

    stored = pick_campaign(ledger, args.id, unfinished=args.id is None)
    overrides = {**campaign_overrides(args), **_budgets(args)}
    if overrides:
        stored = replace(stored, definition=with_budgets(stored.definition, overrides))
    may_run(args, ledger, stored.definition)
    return stored


def run_stored(args: argparse.Namespace, output: Output, folder: StateFolder, ledger: Ledger, stored: Any) -> int:
    """Run a campaign of the ledger, showing what happens; answers the exit code."""
    from graph.approvals import open_approvals
    from memory.history import History
    from service.at_terminal import AtTerminal, somebody_is_here
    from service.progress import Progress

    output.start(campaign=stored.id, home=str(folder.home))
    progress = Progress(output, stored, History.load(ledger, stored.id))
    stopping = Stopping(output)
    asking = somebody_is_here() and not args.no_input and not os.environ.get("CI")
    person = AtTerminal(output, open_approvals(ledger), progress.hold) if asking else None

    async def work() -> Ending:
        stopping.listen()
        ticking = asyncio.create_task(_tick(progress)) if output.moving else None
        hearing = asyncio.create_task(hear_guidance(ledger, stored.id, progress.hear))
        forget = ledger.listen(progress.hear)
        try:
            return await carry_out(args, output, folder, ledger, stored, stopping.stop, person)
        finally:
            forget()
            hearing.cancel()
            if ticking is not None:
                ticking.cancel()
            progress.close()

    status, reason, load = "interrupted", "stopped at once", NO_LOAD
    try:
        with listeners(folder, ledger, stored, settings_of(args), output):
            ending = asyncio.run(work())
        status, reason, load = ending.status, ending.reason, ending.load
    except asyncio.CancelledError:
        pass
    except KeyboardInterrupt:
        stopping.told.append(signal.SIGINT)
    except RatchetError as error:
        return broken_off(output, ledger, stored.id, error)
    except Exception:
        output.say(f"go on with: {resume_command(stored.id)}")
        raise
    code = show_end(args, output, folder, ledger, stored.id, status, reason, load)
    return stopping.exit_code if status == "interrupted" else code


async def carry_out(
    args: argparse.Namespace,
    output: Output,
    folder: StateFolder,
    ledger: Ledger,
    stored: StoredCampaign,
    stop: Stop,
    person: Person | None,
) -> Ending:
    """Run a campaign of the ledger as the words want it; `person` is who can be asked meanwhile."""
    from graph.campaign import run_campaign
    from graph.job_back_end import job_back_end
    from service.live_door import live_door
    from service.policy import Gate

    settings = settings_of(args)
    return await run_campaign(
        folder,
        ledger,
        stored,
        open_recall=lambda: folder.open_recall(ledger),
        open_jobs=partial(job_back_end, url=settings.control_plane_url, wait_s=settings.control_plane_wait_s),
        stop=stop,
        record=Path(args.record) if args.record else None,
        trust_code=args.trust_code,
        person=person,
        live=live_door(
            Gate.of(settings, ledger),
            stored.definition,
            output,
            approved=tuple(getattr(args, "approve", ())),
            keep=getattr(args, "keep_service", False),
        ),
    )


@contextmanager
def listeners(
    folder: StateFolder, ledger: Ledger, stored: StoredCampaign, settings: Settings, output: Output
) -> Iterator[None]:
    """What hears of a running campaign beside the screen: the log of its episodes, and webhooks."""
    from graph.episode_listener import follow_episodes

    log = follow_episodes(ledger, stored, folder.episodes, output.say) if settings.log_episodes else nullcontext()
    with log, _webhooks(ledger, stored, settings, output):
        yield


def _webhooks(
    ledger: Ledger, stored: StoredCampaign, settings: Settings, output: Output
) -> AbstractContextManager[None]:
    """Those of the settings; where there are none, nothing is imported."""
    if not settings.webhook_url:
        return nullcontext()
    from service.exports.webhooks import follow_webhooks

    return follow_webhooks(ledger, stored, settings, lambda line: output.say(escaped(line)))


class Stopping:
    """Signals and a reader that went away, as requests to stop: once after this stage, twice now."""

    def __init__(self, output: Output) -> None:
        from graph.campaign import Stop

        self.stop = Stop()
        self.told: list[int] = []
        self._output = output
        self._task: asyncio.Task[Any] | None = None

    def listen(self) -> None:
        """To be called in the task that is to be ended."""
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        loop.add_signal_handler(signal.SIGTERM, self._terminated)
        self._output.on_closed = self._unread

    @property
    def exit_code(self) -> int:
        return 128 + (self.told[0] if self.told else signal.SIGINT)

    def _interrupted(self) -> None:
        self.told.append(signal.SIGINT)
        if len(self.told) > 1:
            self._output.say("stopping now: the running jobs are ended")
            self._now()
        else:
            self._output.say("stopping after this stage; Ctrl-C again stops now")
            self.stop.request("Ctrl-C")

    def _terminated(self) -> None:
        self.told.append(signal.SIGTERM)
        self.stop.request("terminated")
        asyncio.get_running_loop().call_later(TERMINATION_GRACE_S, self._now)

    def _unread(self) -> None:
        self.told.append(signal.SIGPIPE)
        self.stop.request("nobody reads the output")

    def _now(self) -> None:
        if self._task is not None:
            self._task.cancel()


async def _tick(progress: Progress) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        progress.tick()


async def hear_guidance(ledger: Ledger, campaign_id: str, hear: Callable[[AnyEvent], None]) -> None:
    """Show what other processes say to the campaign when they say it, not only when it is delivered."""
    from core.events import GuidanceDropped, GuidanceGiven

    seen = ledger.last_seq()
    while True:
        await asyncio.sleep(HEAR_S)
        for event in ledger.events(campaign_id, after=seen, types=(GuidanceGiven, GuidanceDropped)):
            seen = event.seq
            told = event.guidance.door in ("callback", "recall") if isinstance(event, GuidanceGiven) else False
            if not told:  # this process has heard its own
                hear(event)


def broken_off(output: Output, ledger: Ledger, campaign_id: str, error: RatchetError) -> int:
    """An error ended it: say so, and last how to go on, where that helps."""
    goes_on = not isinstance(error, BusyError) and ledger.campaign(campaign_id).status != "failed"
    command = resume_command(campaign_id) if goes_on else None
    output.error(error, campaign=campaign_id, resume=command)
    if command:
        output.say(f"go on with: {command}")
    return error.exit_code


def show_end(
    args: argparse.Namespace,
    output: Output,
    folder: StateFolder,
    ledger: Ledger,
    campaign_id: str,
    status: str,
    reason: str,
    load: Mapping[str, Any] = NO_LOAD,
) -> int:
    """The summary, the report, and the exit code that goes with them; `load` is what ran beside a live service."""
    if ledger.campaign(campaign_id).definition.live is not None:
        from service.live_end import show_live_end

        return show_live_end(args, output, folder, ledger, campaign_id, status, reason, load)
    from graph.approvals import open_approvals
    from graph.summary import summarise
    from memory.history import History
    from service.report import write_report
    from service.tables import result_table

    stored, history = ledger.campaign(campaign_id), History.load(ledger, campaign_id)
    summary = summarise(stored, history, status=status, reason=reason)
    tried = bool(history.experiments()) or any(cycle.failures for cycle in history.cycles.values())
    failed = status == "finished" and tried and not any(e.outcome.ok for e in history.experiments())
    if failed:
        summary["status"] = "failed"
    if status == "waiting":
        summary["waiting"] = [asked.model_dump(mode="json") for asked in open_approvals(ledger).waiting(campaign_id)]
    trouble: RatchetError | None = None
    try:
        summary["report"] = str(write_report(folder, stored, history, Path(args.report) if args.report else None))
    except RatchetError as error:  # the run is whole all the same
        summary["report"], trouble = None, error
    output.result(summary, result_table(summary))
    if trouble is not None:
        output.error(trouble)
    if stored.definition.kind == "code" and history.verdict is not None and history.verdict.answer == "better":
        output.say(f"look at the change, and get it: python run_graph.py deliver {campaign_id}")
    if status == "waiting":
        output.say(f"go on with: python run_graph.py inbox, then {summary['resume']}")
        return ApprovalNeededError.exit_code
    if status != "finished":
        output.say(f"go on with: {summary['resume']}")
    if status == "budget":
        return BudgetError.exit_code
    if (model := summary["model"]) and not failed and trouble is None and model["asked"] != "auto":
        if model["died"]:
            output.say("the model gave out, and rules decided in its place: exit 4")
            return ModelError.exit_code
        if model["useless"]:
            output.say("no answer of the model could be used, and rules decided in its place: exit 4")
            return ModelError.exit_code
        if model["capped"]:
            output.say("the model's budget is spent, and rules decided in its place: exit 7")
            return ModelBudgetError.exit_code
    return 1 if failed else trouble.exit_code if trouble else 0


def _dry_run(campaign: Campaign, output: Output) -> int:
    budget = campaign.budget
    asks = _asks(campaign)
    value = {
        "campaign": campaign.name,
        "status": "checked",
        "command": list(campaign.command),
        "cycles": budget.cycles,
        "model": asks,
        "abstaining": _abstaining(campaign),
    }
    seats = ", ".join(use.use for use in campaign.council.proposers)
    voters = ", ".join(use.use for use in campaign.council.voting)
    what = f"  command    {' '.join(campaign.command)}"
    if campaign.code is not None:
        files = ", ".join(campaign.code.files)
        what = (
            f"  files      {files}, below {campaign.code.root}\n"
            f"  tests      {' '.join(campaign.code.tests)}\n"
            f"  benchmark  {' '.join(campaign.code.benchmark)}, up to {campaign.code.pairs} pairs"
        )
    text = (
        f"{campaign.name}: the campaign is sound; nothing was run\n"
        f"{what}\n"
        f"  council    proposers {seats}; voters {voters}\n"
        f"  budget     {budget.cycles} cycles of up to {campaign.council.jobs_per_cycle} jobs, "
        f"{campaign.limits.parallel} at once, each at most {campaign.limits.time_s:g} s"
    )
    if silent := _abstaining(campaign):
        text += f"\n  no model   {', '.join(silent)} will abstain: give one by --model, or at the seat"
    if asks:
        cost = "" if asks["usd"] is None else f", ${asks['usd']:.2f}"
        text += f"\n  model      {asks['model']}: at most {asks['calls']} calls, {asks['tokens']:,} tokens{cost}"
    output.result(value, text)
    return 0


def _budgets(args: argparse.Namespace) -> dict[str, Any]:
    given = {
        "budget.cycles": args.cycles,
        "until": args.until,
        "budget.time_s": args.time,
        "control": args.control,
        "approvals.mode": args.approvals,
        **model_budgets(args),
    }
    return {key: value for key, value in given.items() if value is not None}


def _asks(campaign: Campaign) -> dict[str, Any] | None:
    """What language models will be asked for at most, repairs included; None without a model."""
    from agents.model_seats import NONE, asked_models, estimate, seat_model, with_model_seats
    from runtime.models.prices import price_of

    asked = [spec for spec in asked_models(campaign) if spec != NONE]
    if not asked:
        return None
    full = with_model_seats(campaign.council, campaign.kind, campaign.model_of)
    cycle = estimate(full, campaign.model.repairs, partial(seat_model, campaign))
    cycles, usd = campaign.budget.cycles, 0.0
    for model, tokens in cycle.models.items():
        price = price_of(model, campaign.model.prices)
        usd += math.nan if price is None else tokens * cycles * max(price.input, price.output) / 1e6
    return {
        "model": ", ".join(asked),
        "calls": cycle.calls * cycles,
        "tokens": cycle.tokens * cycles,
        "usd": None if math.isnan(usd) else usd,
    }


def _abstaining(campaign: Campaign) -> list[str]:
    """The personas among the voters that no model speaks for."""
    from agents.model_seats import NONE, seat_model

    return [
        str(use.parameters.get("persona", "critical"))
        for use in campaign.council.voting
        if use.use == "persona" and seat_model(campaign, "voter", use) == NONE
    ]


def model_choice(args: argparse.Namespace) -> dict[str, Any]:
    """Which model the call asks for, and what it may cost, as overrides of the campaign."""
    given = {"model.use": args.model, **model_budgets(args)}
    return {key: value for key, value in given.items() if value is not None}


def model_budgets(args: argparse.Namespace) -> dict[str, Any]:
    return {"budget.usd": args.budget_usd, "budget.tokens": args.budget_tokens}
