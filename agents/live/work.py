"""What the roles of a campaign on a live service need: its telemetry, its code, and the way to change it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agents.code.paths import allows
from agents.live.analysis import Analysis
from agents.live.generation.service import ServiceCode, read_service
from core.drafts import CheckSettings
from core.errors import UnavailableError
from core.ids import content_hash
from core.improvement import ImprovementSettings
from core.live_plan import LivePlan
from core.policy import Action, Decision
from core.records import Proposal
from core.watch import ServiceReading, WatchRules
from runtime.deployment import LiveService

__all__ = ["LiveWork", "ServiceView", "Trigger"]

SILENCE_S = 60.0
"""How much longer than it should take telemetry is waited for."""
POLL_S = 0.05
Trigger = Literal["schedule", "hand", "alarm"]


class ServiceView(Protocol):
    """The telemetry of one service."""

    @property
    def told_since(self) -> float:
        """The time of the oldest thing that was told."""
        ...

    @property
    def told_until(self) -> float:
        """The time of the newest thing that was told."""
        ...

    @property
    def tells_revisions(self) -> bool:
        """Whether requests are told with the release that answered them: a canary's can be told apart then."""
        ...

    def settled(self, at: float, revision: str) -> None:
        """From then on it runs this release: what is told of the time before tells of another."""
        ...

    async def trouble(self) -> tuple[str, str]:
        """Why nothing of it was taken, and what may help."""
        ...

    async def analyse(self, window_hours: float) -> Analysis:
        """What its telemetry of the last hours shows, the most urgent first."""
        ...

    def reading(self, since: float, until: float, revision: str = "") -> ServiceReading | None:
        """What was seen of it, or of the requests that one release answered, between two moments; None for a gap."""
        ...


@dataclass
class LiveWork:
    """`leave` asks the policy, and keeps its answer in the audit; `approved_by` is a person's yes to a proposal, or
    empty.  `watching`: one deployment is watched at a time."""

    plan: LivePlan
    settings: ImprovementSettings
    view: ServiceView
    service: LiveService
    rules: WatchRules
    checks: CheckSettings
    leave: Callable[[Action, Mapping[str, Any], str], Decision]
    approved_by: Callable[[Proposal], str]
    trigger: Trigger = "hand"
    trusted: bool = False
    watching: asyncio.Lock = field(default_factory=asyncio.Lock)
    settled_at: float = 0.0
    """Since when the service runs what it runs: nothing before it tells of it."""

    def history(self, until: float, most: int) -> list[ServiceReading | None]:
        """The windows before `until` in which the service was what it is, oldest first, at most `most`."""
        step = self.rules.interval_s
        windows = min(most, max(0, int((until - self.settled_at) / step)))
        return self.windows(until - windows * step, windows)

    async def listen(self, seconds: float) -> None:
        """Until so much telemetry was taken of the service as it is now.

        Raises UnavailableError for one that stays silent.
        """
        give_up = time.monotonic() + seconds + SILENCE_S
        while self.view.told_until < max(self.settled_at, self.view.told_since) + seconds:
            if time.monotonic() > give_up:
                what, hint = await self.view.trouble()
                raise UnavailableError(what, where="live.telemetry", hint=hint)
            await asyncio.sleep(POLL_S)

    def window_hours(self, now: float) -> float:
        """Of telemetry that tells of the service as it runs now, at most those of the campaign."""
        return max(1.0, min(self.plan.window_hours * 3600, now - self.settled_at)) / 3600

    def windows(self, since: float, count: int) -> list[ServiceReading | None]:
        """So many windows of the watch's length, from `since` on."""
        step = self.rules.interval_s
        return [self.view.reading(since + number * step, since + (number + 1) * step) for number in range(count)]

    async def settle(self, at: float) -> None:
        """It runs what it runs since then."""
        self.settled_at = at
        if at > 0:
            await asyncio.to_thread(self.view.settled, at, self.service.releases.current())

    def may_change(self, path: str) -> bool:
        """Whether an improvement may change this file."""
        return not self.plan.is_kept(path) and allows(self.plan.files, path)

    def code(self) -> ServiceCode:
        """The code that is live now."""
        return read_service(self.service.releases.tree(self.service.releases.current()), self.may_change)

    def hashes(self, paths: Sequence[str]) -> dict[str, str]:
        """Of the live text of each path; empty where there is no such file."""
        files = self.code().files
        return {path: content_hash(files[path]) if path in files else "" for path in paths}
