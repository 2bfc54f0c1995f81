"""A campaign of kind `live`: checked when it is loaded; its service started or found again, listened to, and left."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents import registry
from agents.live.listening import Listening
from agents.live.work import LiveWork, Trigger
from core.campaign import Campaign
from core.deployment import DeploymentState, HealthCheck, LiveTarget, ReloadByCommand, ReloadByReloader
from core.drafts import CheckSettings
from core.errors import ConfigError, UnavailableError
from core.improvement import ImprovementSettings
from core.live_plan import LivePlan
from core.policy import DEFAULT_TENANT, Action, Decision
from core.watch import WatchRules
from memory.ledger import Ledger, StoredCampaign
from memory.state_folder import StateFolder
from runtime.deployment import LiveService
from runtime.jobs import fill_words
from runtime.services import ServiceProcess, free_port, wait_healthy

__all__ = ["LiveDoor", "LiveSession", "check_live", "live_settings", "open_live"]

LISTEN_SLACK_S = 60.0
"""How much longer than it should take telemetry is waited for."""
SETTLED_S = 1.0
"""After its start a service is not yet what it will be."""


@dataclass(frozen=True)
class LiveDoor:
    """What the door hands in: leave by the policy, why the cycle runs, whom a rollback is told to.

    `keep`: leave a service that was started here running at the end.
    """

    leave: Callable[[Action, Mapping[str, Any]], Decision]
    trigger: Trigger = "hand"
    alert: Callable[[DeploymentState], None] = lambda _: None
    keep: bool = False


def live_settings(campaign: Campaign) -> ImprovementSettings:
    """The preset, the environment and the campaign's own settings, for its tenant.  Raises ConfigError."""
    assert campaign.live is not None
    plan = campaign.live
    return ImprovementSettings.load(plan.preset, values=plan.settings).for_tenant(plan.tenant)


def check_live(campaign: Campaign, where: str) -> None:
    """The service's folder, its tests, its settings, and a council for it.  Raises ConfigError."""
    assert campaign.live is not None
    plan, here = campaign.live, Path(campaign.here)
    root = here / plan.root
    if not root.is_dir():
        raise ConfigError(
            "the folder of the service does not exist",
            where=f"{where}, live.root: {root}",
            hint="`root` is relative to the campaign's file",
        )
    live_settings(campaign)
    LiveTarget(service=campaign.name, folder=root, allowed=plan.files, health=HealthCheck(command=("true",)))
    if not any("code" in registry.kinds_of("voter", use, here) for use in campaign.council.voting):
        raise ConfigError("nobody votes on code", where=f"{where}, council.voting", hint="seat validation")
    if "code" not in registry.kinds_of("executor", campaign.council.executor, here):
        raise ConfigError(
            f"{campaign.council.executor.use} puts nothing live", where=f"{where}, council.executor", hint="seat deployer"
        )


class LiveSession:
    """One session with a live service.  `load` is what the load said of itself at its end."""

    def __init__(self, home: Path, campaign: Campaign, door: LiveDoor, trusted: bool) -> None:
        assert campaign.live is not None
        self.plan: LivePlan = campaign.live
        self.load: dict[str, Any] = {}
        self._home, self._campaign, self._door = home, campaign, door
        self._service = ServiceProcess(home, "service")
        self._load = ServiceProcess(home, "load")
        self._settings = live_settings(campaign)
        self._listening = Listening(
            home / "telemetry", self._settings, component=campaign.name, tenant=self.plan.tenant, root=self._live / "current"
        )
        self._trusted = trusted

    async def open(self) -> LiveWork:
        """The service running and well, what a kill has left mended, the load begun, its telemetry taken."""
        if self.plan.start:
            await asyncio.to_thread(LiveService(self._target(0, "")).releases.adopt, Path(self._campaign.here) / self.plan.root)
        running = self._service.alive
        service = LiveService(self._target(1 if running or not self.plan.start else 0, self._url()), alert=self._door.alert)
        await asyncio.to_thread(service.recover)
        if self.plan.start and not running:
            await self._start()
        await wait_healthy(self._url() + self.plan.health, self.plan.ready_s, self._service if self.plan.start else None)
        service = LiveService(self._target(1, self._url()), alert=self._door.alert)
        await self._listening.start(self.plan.telemetry, self._words)
        if self.plan.load and not self._load.alive:
            command = fill_words(self.plan.load, self._words(), "live.load")
            self._load.start(command, Path(self._campaign.here), self._environment(), {})
        checks = CheckSettings(environment=self._campaign.environment, cache=str(self._home / "mypy"))
        return LiveWork(
            plan=self.plan,
            settings=self._settings,
            view=self._listening,
            service=service,
            rules=self._rules(),
            checks=checks,
            leave=self._door.leave,
            trigger=self._door.trigger,
            trusted=self._trusted,
            settled_at=self._settled(service),
        )

    async def listen(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Until `listen_s` of telemetry of this service as it is now was taken.  Raises UnavailableError on silence."""
        since = max(time.time(), self._started_at) if not self._service.facts.get("listened") else self._started_at
        until = since + self.plan.listen_s
        give_up = time.monotonic() + self.plan.listen_s + LISTEN_SLACK_S
        while self._listening.told_until < until and not stopped():
            if time.monotonic() > give_up:
                raise UnavailableError(
                    "the service tells nothing", where="live.telemetry", hint="silence is not health: is it asked at all?"
                )
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """The load ended, and so the service when it was started here; its telemetry is kept."""
        if self._load.identity is not None:
            said = await self._load.stop()
            with contextlib.suppress(ValueError, IndexError):
                told = json.loads(said.splitlines()[-1])
                self.load = told if isinstance(told, dict) else {}
        await self._listening.close()
        if self.plan.start and not self._door.keep:
            await self._service.stop()

    # ------------------------------------------------------------------- inside

    @property
    def _live(self) -> Path:
        return self._home / "live"

    @property
    def _started_at(self) -> float:
        return float(self._service.facts.get("started_at", 0.0))

    def _settled(self, service: LiveService) -> float:
        """Since when it runs what it runs now."""
        ends = [state.at for state in service.states() if state.finished and state.stage != "undone"]
        return max(self._started_at + SETTLED_S, *ends) if ends else self._started_at + SETTLED_S

    def _rules(self) -> WatchRules:
        settings = self._settings
        return WatchRules(
            duration_s=settings.monitoring_duration_s,
            interval_s=settings.monitoring_interval_s,
            threshold=settings.rollback_threshold,
            **self.plan.watch,
        )

    def _target(self, processes: int, url: str) -> LiveTarget:
        reload = (
            ReloadByCommand(command=fill_words(self.plan.reload, self._words(), "live.reload"))
            if self.plan.reload
            else ReloadByReloader(least_processes=processes)
        )
        health = HealthCheck(url=url + self.plan.health) if url else HealthCheck(command=("true",))
        return LiveTarget(
            service=self._campaign.name,
            folder=self._live if self.plan.start else Path(self._campaign.here) / self.plan.folder,
            allowed=self.plan.files,
            reload=reload,
            health=health,
            tenant=self.plan.tenant or DEFAULT_TENANT,
        )

    def _words(self) -> dict[str, str]:
        return {
            "here": self._campaign.here,
            "live": str(self._live),
            "telemetry": str(self._home / "telemetry.jsonl"),
            "data": str(self._home / "data"),
            "port": str(self._service.facts.get("port", "0")),
            "url": self.plan.url.replace("{port}", str(self._service.facts.get("port", "0"))),
        }

    def _url(self) -> str:
        return self._words()["url"].rstrip("/")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._campaign.environment}

    async def _start(self) -> None:
        facts = {"port": free_port(), "started_at": time.time()}
        self._service.facts = facts
        command = fill_words(self.plan.start, self._words(), "live.start")
        where = (self._live / "current").resolve()
        self._service.start(command, where, self._environment(), facts)


@contextlib.asynccontextmanager
async def open_live(
    folder: StateFolder, ledger: Ledger, stored: StoredCampaign, door: LiveDoor, *, trusted: bool = False
) -> Any:
    """The session of a campaign, closed whatever happens."""
    session = LiveSession(folder.services / stored.id, stored.definition, door, trusted)
    try:
        yield session
    finally:
        await session.close()
