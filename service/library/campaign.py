"""A campaign from Python: a function, a space, and the council that searches it.

    campaign = Campaign("digits", objective=train, space={"lr": Float(1e-5, 1e-1, log=True)})
    result = campaign.run(cycles=5)

It runs on a thread of its own, so it can be called from a script, from a notebook, and inside a running event loop.  No
signal handler is set and nothing is printed.  The same definition in the same state folder goes on where it was left.
"""

from __future__ import annotations

import asyncio
import logging
import queue
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from core.campaign import Campaign as Definition
from core.errors import ConfigError, NotFoundError
from core.events import AnyEvent, CycleFinished
from core.settings import load_settings
from service.library.asking import Asked
from service.library.definition import define, read, with_budget
from service.library.running import AskedRun, OnEvent, Runs

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from core.guidance import Guidance
    from graph.asking import Callback as ApprovalCallback
    from graph.context import GuidanceCallback
    from graph.points import Point
    from memory.ledger import Ledger, StoredCampaign
    from service.library.result import Result

__all__ = ["Campaign"]

ONE_CYCLE = "one step"
"""The reason to stop of a step."""


class Campaign:
    """A campaign of a function or a command.

    `objective`: called in a process of its own as `objective(config)`, with `seed` and `report` if it has parameters of
    these names; it returns a number, or a mapping of metrics.  Without one the campaign is for `ask` and `tell`, or has
    a `command` among its options.
    `space`: name → Float, Int, Choice or Subset.  `baseline`: where to begin (default: the middle).
    `metric`, `goal`: what is made better.  `options`: any key of a campaign file, such as `limits={"parallel": 4}`.
    `home`: the state folder (default: as everywhere, `.ratchet`).  `recall=False` goes without memories of others.
    Raises ConfigError for whatever would fail later.
    """

    def __init__(
        self,
        name: str,
        *,
        space: Mapping[str, Any],
        objective: Callable[..., Any] | None = None,
        baseline: Mapping[str, Any] | None = None,
        metric: str = "score",
        goal: str = "maximize",
        home: Path | str | None = None,
        recall: bool = True,
        **options: Any,
    ) -> None:
        self._open(home, recall)
        functions = self._folder.home / "functions"
        self.definition: Definition = define(name, objective, functions, space, baseline, metric, goal, options)
        self._asks = objective is None and "command" not in options

    @classmethod
    def from_file(
        cls, path: Path | str, *, home: Path | str | None = None, recall: bool = True, **overrides: Any
    ) -> Self:
        """The campaign of a file, or of a folder with a `campaign.yaml`; `overrides` by key of the file."""
        made = cls.__new__(cls)
        made._open(home, recall)
        made.definition = read(Path(path), overrides)
        made._asks = False
        return made

    def _open(self, home: Path | str | None, recall: bool) -> None:
        from memory.state_folder import StateFolder

        settings = load_settings({"home": home}, {})
        self._folder = StateFolder.of(settings)
        self._runs = Runs(settings, self._folder, recall)
        self._listeners: list[OnEvent] = []
        self._asking: AskedRun | None = None

    def __repr__(self) -> str:
        return f"<Campaign {self._runs.campaign_id or self.definition.name} in {self._folder.home}>"

    @property
    def result(self) -> Result | None:
        """Of the last run, step or stream; None before there was one."""
        return self._runs.result

    # ---------------------------------------------------------------- callbacks
    def on_event(self, listener: OnEvent) -> OnEvent:
        """Call `listener` for every event of a run, on the run's thread.  Usable as a decorator.

        One that raises is logged, and the run goes on.
        """
        self._listeners.append(listener)
        return listener

    def on_guidance(self, callback: GuidanceCallback) -> GuidanceCallback:
        """Ask `callback(case)` at the beginning of every cycle for guidance: a sentence, several, or None.

        Plain or async, usable as a decorator.  One that raises or takes too long is reported, and the cycle goes on.
        """
        self._runs.on_guidance.append(callback)
        return callback

    def on_approval(self, callback: ApprovalCallback) -> ApprovalCallback:
        """Let `callback(ask)` answer what would wait for a person (`approvals="confirm"`).

        Its answers: `ask.accept()`, `ask.edit(…)`, `ask.respond(text)`, `ask.ignore()`, or `ask.park()`, which leaves
        it to the inbox.  `ask.risk` is its tier.
        """
        self._runs.on_approval.append(callback)
        return callback

    def guide(self, text: str, *, urgent: bool = False) -> Guidance:
        """Say a sentence such as "keep lr below 0.01" to the campaign: for its next cycle, or, urgent, its next step.

        Raises NotFoundError before it has run, here or in another process: then `on_guidance` is the way.
        """
        from memory.guidance import GuidanceBook

        with self._folder.open_ledger() as ledger:
            told = self._kept(ledger, hint="use on_guidance, or step()").id
            return GuidanceBook(ledger).give(told, text, author="library", door="library", urgent=urgent)

    # ------------------------------------------------------------------ running
    def run(
        self,
        cycles: int | None = None,
        *,
        until: str | None = None,
        time: str | float | None = None,
        new: bool = False,
    ) -> Result:
        """Run to the end of `cycles` (in all), `until` a target such as `"auc>=0.99"`, or a `time` such as `"30m"`.

        Ctrl-C ends it after the stage that is under way, and gives what there is so far; a second one ends it at once,
        and is raised.  Raises BusyError while another process runs the campaign, BaselineError when the baseline does
        not run.
        """
        from graph.campaign import Stop

        return self._runs.in_thread(self._budgeted(cycles, until, time), Stop(), self._tell, new=new)

    async def arun(
        self,
        cycles: int | None = None,
        *,
        until: str | None = None,
        time: str | float | None = None,
        new: bool = False,
    ) -> Result:
        """`run`, in the caller's own event loop; being cancelled ends the jobs."""
        from graph.campaign import Stop

        return await self._runs.work(self._budgeted(cycles, until, time), Stop(), self._tell, new=new)

    def step(self) -> Result:
        """The next cycle (the first time, the baseline before it), and what there is so far; no verdict yet."""
        from graph.campaign import Stop

        stop = Stop()

        def heard(event: AnyEvent) -> None:
            self._tell(event)
            if isinstance(event, CycleFinished):
                stop.request(ONE_CYCLE)

        return self._runs.in_thread(self.definition, stop, heard)

    def stream(
        self, cycles: int | None = None, *, until: str | None = None, time: str | float | None = None, new: bool = False
    ) -> Iterator[AnyEvent]:
        """`run`, giving every event as it happens, live reports of jobs too; `result` is there at the end.

        Leaving the loop stops the run after the stage that is under way.
        """
        from graph.campaign import Stop
        from graph.loop_thread import LoopThread

        told: queue.SimpleQueue[AnyEvent | None] = queue.SimpleQueue()
        stop = Stop()
        thread = LoopThread(f"campaign {self.definition.name}")
        try:
            work = thread.begin(self._runs.work(self._budgeted(cycles, until, time), stop, told.put, new=new))
            work.add_done_callback(lambda _: told.put(None))
            try:
                while (event := told.get()) is not None:
                    self._tell(event)
                    yield event
            except BaseException:
                stop.request("left")
                with suppress(Exception):
                    work.result()
                raise
            work.result()
        finally:
            thread.close()

    async def astream(
        self, cycles: int | None = None, *, until: str | None = None, time: str | float | None = None, new: bool = False
    ) -> AsyncIterator[AnyEvent]:
        """`stream`, in the caller's own event loop."""
        from graph.campaign import Stop

        told: asyncio.Queue[AnyEvent | None] = asyncio.Queue()
        stop = Stop()
        work = asyncio.create_task(self._runs.work(self._budgeted(cycles, until, time), stop, told.put_nowait, new=new))
        work.add_done_callback(lambda _: told.put_nowait(None))
        try:
            while (event := await told.get()) is not None:
                self._tell(event)
                yield event
            await work
        finally:
            if not work.done():
                stop.request("left")
                with suppress(Exception):
                    await work

    # ------------------------------------------------------------- ask and tell
    def ask(self) -> Asked | None:
        """The next trial to measure, for callers with a loop of their own; the first ones are the baseline.

        None when the campaign has ended (`finished`), and when every trial that can be asked for now is out: tell one.
        What was asked and never told is asked again by the next process.
        """
        if not self._asks:
            raise ConfigError(
                "this campaign measures by itself", where="Campaign.ask", hint="leave out objective and command"
            )
        if self._asking is None:
            self._asking = AskedRun(self._runs, self.definition, self._tell)
        return self._asking.next()

    def tell(
        self, asked: Asked | str, value: float | Mapping[str, float] | None = None, *, failed: str | None = None
    ) -> None:
        """What came of a trial: the objective's value or all its metrics, or the reason why it `failed`.

        Raises NotFoundError for a trial that is not out, and ConfigError for what is no number.
        """
        if self._asking is None:
            raise ConfigError("nothing was asked for yet", where="Campaign.tell", hint="ask first")
        self._asking.tell(asked if isinstance(asked, str) else asked.id, value, failed)

    @property
    def finished(self) -> bool:
        """Whether a campaign of `ask` and `tell` has come to its end; `result` is there then."""
        return self._asking is not None and self._asking.ended

    def close(self) -> None:
        """End a campaign of `ask` and `tell` where it stands; it can be gone on with.  Twice is once."""
        if self._asking is not None:
            self._asking.close()
            self._asking = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --------------------------------------------------------------------- time
    def checkpoints(self) -> list[Point]:
        """The points of this campaign's past at which a fork can begin.  Raises NotFoundError before a run."""
        from graph.points import points_of

        with self._folder.open_ledger() as ledger:
            return points_of(self._folder, ledger, self._kept(ledger))

    def fork(
        self,
        at: int | str,
        name: str | None = None,
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002  # the word of the command line
        guidance: Sequence[str] = (),
        agenda: Mapping[str, Mapping[str, Any]] | None = None,
        rulings: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Self:
        """A new campaign with the past of this one up to `at`: a cycle, a node (`"3/voter"`), or a checkpoint's id.

        `name`: its id.  `set`: budgets by key; `guidance`: sentences that it begins with; `agenda` (configurations by
        proposal, at a node `voter`) and `rulings` (`decision` and `config` by proposal, at a node `executor`) replace
        what stood there.  This campaign stays as it is.  Nothing is run; callbacks are not taken along.  Raises as
        `graph.forking.fork`.
        """
        from graph import forking
        from graph.points import find_point

        edits = {key: dict(value) for key, value in (("agenda", agenda), ("rulings", rulings)) if value}
        with self._folder.open_ledger() as ledger:
            stored = self._kept(ledger)
            found = find_point(self._folder, ledger, stored, str(at))
            told = forking.fork(
                ledger,
                stored,
                found.point,
                name=name,
                sets=set,
                guidance=guidance,
                edits=edits,
                checkpoint=found.checkpoint,
            )
        made = type(self).__new__(type(self))
        made._open(self._folder.home, self._runs.recall)
        made.definition, made._asks, made._runs.campaign_id = told.definition, self._asks, told.id
        return made

    def _kept(self, ledger: Ledger, hint: str = "run it") -> StoredCampaign:
        """This campaign in the ledger: the one that this object ran, else the last of the same definition."""
        if self._runs.campaign_id:
            return ledger.campaign(self._runs.campaign_id)
        fingerprint = self.definition.fingerprint()
        known = [stored for stored in ledger.campaigns() if stored.fingerprint == fingerprint]
        if not known:
            raise NotFoundError(f"{self.definition.name} was not run here yet", where=str(self._folder.home), hint=hint)
        return known[-1]

    # -------------------------------------------------------------------- graph
    @property
    def graph(self) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The cycle as a compiled LangGraph, without a checkpointer: to draw, to study, to build into another."""
        from graph.build import build

        return build()

    # ------------------------------------------------------------------- inside
    def _budgeted(self, cycles: int | None, until: str | None, time: str | float | None) -> Definition:
        return with_budget(self.definition, cycles, until, time)

    def _tell(self, event: AnyEvent) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                logging.getLogger(__name__).exception("a listener failed on %s", event.type)
