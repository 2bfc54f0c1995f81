"""The runs of a campaign from Python: each on a thread of its own, or in the caller's event loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from core.campaign import Campaign
from core.events import AnyEvent
from core.settings import Settings
from service.library.asking import Asked, AskedJobs

if TYPE_CHECKING:
    from graph.asking import Callback as ApprovalCallback
    from graph.campaign import Stop
    from graph.context import GuidanceCallback
    from graph.loop_thread import LoopThread
    from memory.ledger import Ledger, StoredCampaign
    from memory.state_folder import StateFolder
    from runtime.jobs import Jobs
    from service.library.result import Result

__all__ = ["AskedRun", "OnEvent", "Runs"]

GRACE_S = 0.2
"""What `ask` waits for a further trial while others are out: those of one stage come together."""

OnEvent = Callable[[AnyEvent], None]


@dataclass
class Runs:
    """What every run of one campaign is given, and what the last one has left: the campaign's id, and its result."""

    settings: Settings
    folder: StateFolder
    recall: bool
    on_guidance: list[GuidanceCallback] = field(default_factory=list)
    on_approval: list[ApprovalCallback] = field(default_factory=list)
    campaign_id: str = ""
    result: Result | None = None

    def in_thread(self, definition: Campaign, stop: Stop, hear: OnEvent, *, new: bool = False) -> Result:
        """`work` on a thread of its own; Ctrl-C in the caller's is a request to stop."""
        from graph.loop_thread import LoopThread

        thread = LoopThread(f"campaign {definition.name}")
        try:
            work = thread.begin(self.work(definition, stop, hear, new=new))
            try:
                return work.result()
            except KeyboardInterrupt:
                stop.request("Ctrl-C")
                return work.result()  # a second one breaks this off, and `close` ends the jobs
        finally:
            thread.close()

    async def work(
        self,
        definition: Campaign,
        stop: Stop,
        hear: OnEvent,
        *,
        new: bool = False,
        open_jobs: Callable[[StoredCampaign], Jobs] | None = None,
    ) -> Result:
        """Run `definition`, or go on with it, until it ends or `stop` is asked for."""
        from graph.campaign import find_or_create, run_campaign
        from graph.episode_listener import follow_episodes
        from graph.job_back_end import job_back_end
        from service.library.result import Result

        settings = self.settings
        at = partial(job_back_end, url=settings.control_plane_url, wait_s=settings.control_plane_wait_s)
        with self.folder.open_ledger(check=True) as ledger:
            stored = self._stored(ledger, definition, new) or find_or_create(ledger, definition, new=new)[0]
            self.campaign_id = stored.id

            def heard(event: AnyEvent) -> None:
                if event.campaign_id == stored.id:
                    hear(event)

            warn = logging.getLogger(__name__).warning
            log = (
                follow_episodes(ledger, stored, self.folder.episodes, warn) if settings.log_episodes else nullcontext()
            )
            forget = ledger.listen(heard)
            try:
                with log:
                    ending = await run_campaign(
                        self.folder,
                        ledger,
                        stored,
                        open_recall=(lambda: self.folder.open_recall(ledger)) if self.recall else None,
                        open_jobs=open_jobs or at,
                        stop=stop,
                        on_guidance=tuple(self.on_guidance),
                        on_approval=tuple(self.on_approval),
                    )
            finally:
                forget()
        self.result = Result.load(settings, stored.id, ending.status, ending.reason)
        return self.result

    def _stored(self, ledger: Ledger, definition: Campaign, new: bool) -> StoredCampaign | None:
        """The campaign that this object ran before, with the budgets of `definition`: it is gone on with, even one that
        had come to the end of its budget."""
        if new or not self.campaign_id:
            return None
        return replace(ledger.campaign(self.campaign_id), definition=definition)


class AskedRun:
    """A run whose jobs are the caller's."""

    def __init__(self, runs: Runs, definition: Campaign, hear: OnEvent) -> None:
        from graph.campaign import Stop
        from graph.loop_thread import LoopThread

        self._jobs = AskedJobs(definition.objective.metric, definition.limits.parallel)
        self._stop = Stop()
        self._thread: LoopThread = LoopThread(f"campaign {definition.name}")
        self._work = self._thread.begin(runs.work(definition, self._stop, hear, open_jobs=lambda _: self._jobs))
        self._work.add_done_callback(lambda _: self._jobs.end())

    @property
    def ended(self) -> bool:
        return self._work.done()

    def next(self) -> Asked | None:
        asked = self._jobs.next(GRACE_S)
        if asked is None and self._work.done():
            self._work.result()  # raises what ended it
        return asked

    def tell(self, job_id: str, value: float | Mapping[str, float] | None, failed: str | None) -> None:
        self._thread.call(self._jobs.tell(job_id, value, failed))

    def close(self) -> None:
        self._stop.request("closed")
        self._thread.close()
