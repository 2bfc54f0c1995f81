"""A campaign of kind `live`: checked when it is loaded; its service started or found again, listened to, and left."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from agents import registry
from agents.live.instruments import note
from agents.live.listening import Listening
from agents.live.work import LiveWork
from core.campaign import Campaign
from core.deployment import DeploymentState, HealthCheck, LiveTarget, ReloadByCommand, ReloadByReloader
from core.drafts import CheckSettings
from core.errors import BusyError, ConfigError, NotFoundError
from core.improvement import ImprovementSettings
from core.live_plan import LivePlan
from core.policy import DEFAULT_TENANT, Action, Decision
from core.records import Proposal
from core.watch import WatchRules, watch_rules
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from memory.state_folder import StateFolder
from runtime.deployment import LiveService, Releases
from runtime.jobs import fill_words
from runtime.services import ServiceProcess, free_port, wait_healthy

__all__ = [
    "LiveDoor",
    "LiveSession",
    "check_live",
    "find_live",
    "live_settings",
    "open_live",
    "quiet_door",
    "watch_rules_of",
]

SETTLED_S = 1.0
"""After its start a service is not yet what it will be."""
GIVES_WAY_S = 20.0
POLL_S = 0.2
NAMED = "named by a person:"


@dataclass(frozen=True)
class LiveDoor:
    """What the door hands in: leave by the policy (action, facts, a person's yes to it), whom a rollback is told to.

    `approved`: opportunities that a person has named and said yes to.  `keep`: a service that was started here is left
    running at the end.
    """

    leave: Callable[[Action, Mapping[str, Any], str], Decision]
    approved: tuple[str, ...] = ()
    alert: Callable[[DeploymentState], None] = lambda _: None
    keep: bool = False


def quiet_door() -> LiveDoor:
    """A door for who only listens: it gives leave for nothing."""

    reason = "nobody was asked"
    return LiveDoor(
        leave=lambda action, _facts, _yes: Decision(
            action=action, answer="denied", risk=1.0, parts={}, rule="listening", reason=reason
        )
    )


def live_settings(campaign: Campaign) -> ImprovementSettings:
    """The preset, the environment and the campaign's own settings, for its tenant.  Raises ConfigError."""
    assert campaign.live is not None
    plan = campaign.live
    return ImprovementSettings.load(plan.preset, values=plan.settings).for_tenant(plan.tenant)


def find_live(
    ledger: Ledger, campaign: Campaign, *, new: bool = False, cycles: int = 1, planted: bool = False
) -> tuple[StoredCampaign, bool]:
    """The campaign that asks for the same, with `cycles` more than were finished (and one for what is planted), else a
    new one; and whether it is new.  What it has improved is live in it still.
    """
    done, found = 0, None
    for stored in reversed(ledger.campaigns()):
        same = stored.definition.name == campaign.name and stored.fingerprint == campaign.fingerprint()
        if same and stored.status != "failed" and not new:
            found, done = stored, History.load(ledger, stored.id).last_finished_cycle
            break
    budget = campaign.budget.model_copy(update={"cycles": done + cycles + planted})
    campaign = campaign.model_copy(update={"budget": budget})
    if found is None:
        return ledger.create_campaign(campaign), True
    return replace(found, definition=campaign), False


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
    watch_rules_of(plan, live_settings(campaign))
    if not plan.start:
        check_adopted(here / plan.folder, root, where)
    if not any("code" in registry.kinds_of("voter", use, here) for use in campaign.council.voting):
        raise ConfigError("nobody votes on code", where=f"{where}, council.voting", hint="seat validation")
    if "code" not in registry.kinds_of("executor", campaign.council.executor, here):
        raise ConfigError(
            f"{campaign.council.executor.use} puts nothing live",
            where=f"{where}, council.executor",
            hint="seat deployer",
        )


def check_adopted(folder: Path, root: Path, where: str) -> None:
    """A service that runs already runs from releases of its code.  Raises ConfigError."""
    try:
        Releases(folder).current()
    except NotFoundError as error:
        to, code = json.dumps(str(folder)), json.dumps(str(root))
        adopt = f"Releases(Path({to})).adopt(Path({code}))"
        python = f"from pathlib import Path; from runtime.deployment import Releases; {adopt}"
        raise ConfigError(
            "the service has no releases of its code there",
            where=f"{where}, live.folder: {folder}",
            hint=f"adopt its code, and start the service from it: {shlex.join(['python', '-c', python])}",
        ) from error


class LiveSession:
    """One session with a live service.  `load` is what the load said of itself at its end."""

    def __init__(self, home: Path, campaign: Campaign, door: LiveDoor, trusted: bool) -> None:
        assert campaign.live is not None
        self.plan: LivePlan = campaign.live
        self.load: dict[str, Any] = {}
        self._home, self._campaign, self._door, self._trusted = home, campaign, door, trusted
        self._here = Path(campaign.here)
        self._folder = home / "live" if self.plan.start else self._here / self.plan.folder
        self._process = ServiceProcess(home, "service")
        self._loading = ServiceProcess(home, "load")
        self._settings = live_settings(campaign)
        self._listening: Listening | None = None

    async def open(self, history: History) -> LiveWork:
        """The service running and well, what a kill has left mended, its telemetry taken, the load begun.

        Raises UnavailableError when it is not well.
        """
        root = self._here / self.plan.root
        if self.plan.start:
            await asyncio.to_thread(Releases(self._folder).adopt, root)
        else:
            check_adopted(self._folder, root, self._campaign.name)
        await asyncio.to_thread(self._service().recover)
        if self.plan.start and not self._process.alive:
            self._start()
        url = self._words()["url"] + self.plan.health
        await wait_healthy(url, self.plan.ready_s, self._process if self.plan.start else None)
        service = self._service()
        self._listening = await self._taken_over()
        await self._listening.start()
        if self.plan.load and not self._loading.alive:
            self._loading.start(self._filled("load"), self._here, self._environment(), {})
        work = LiveWork(
            plan=self.plan,
            settings=self._settings,
            view=self._listening,
            service=service,
            rules=watch_rules_of(self.plan, self._settings),
            checks=CheckSettings(
                environment=self._campaign.environment, measured=self.plan.package, cache=str(self._home / "mypy")
            ),
            leave=self._door.leave,
            approved_by=lambda proposal: self._approval(proposal, history),
            trigger=self.plan.trigger,
            trusted=self._trusted,
        )
        await work.settle(self._settled_at(service))
        return work

    async def only_listen(self) -> Listening:
        """Its telemetry, while no cycle runs; the caller closes it."""
        listening = Listening(self._home / "telemetry", self._settings, self._campaign, self._words())
        await listening.start()
        return listening

    async def close(self) -> None:
        """The load ended, and so the service when it was started here; what it told is kept."""
        if self._loading.identity is not None:
            said = await self._loading.stop()
            with contextlib.suppress(ValueError, IndexError):
                told = json.loads(said.splitlines()[-1])
                self.load = told if isinstance(told, dict) else {}
        if self._listening is not None:
            await self._listening.close()
        if self.plan.start and not self._door.keep:
            await self._process.stop()

    # ------------------------------------------------------------------- inside

    def _service(self) -> LiveService:
        """The way to change it.  A service that does not run yet is not asked what it serves."""
        down = bool(self.plan.start) and not self._process.alive
        url = self._words()["url"] + self.plan.health
        target = LiveTarget(
            service=self._campaign.name,
            folder=self._folder,
            allowed=self.plan.files,
            reload=(
                ReloadByCommand(command=self._filled("reload"))
                if self.plan.reload
                else ReloadByReloader(least_processes=0 if down else 1)
            ),
            health=HealthCheck(url=url, tries=1 if down else 5),
            tenant=self.plan.tenant or DEFAULT_TENANT,
            canary_share=self.plan.canary_share,
        )
        return LiveService(target, alert=self._door.alert)

    async def _taken_over(self) -> Listening:
        """Its telemetry; who waits for the next cycle of the schedule has it until they see that one runs."""
        until = time.monotonic() + GIVES_WAY_S
        while True:
            try:
                return Listening(self._home / "telemetry", self._settings, self._campaign, self._words())
            except BusyError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(POLL_S)

    def _approval(self, proposal: Proposal, history: History) -> str:
        """A person's yes to exactly this: by the opportunity's name, or an answer to the question about it."""
        if proposal.opportunity in self._door.approved:
            return f"{NAMED} {proposal.opportunity}"
        cycle = history.cycles.get(proposal.cycle)
        ruled = cycle.rulings.get(proposal.id) if cycle else None
        return ruled.approval if ruled is not None and ruled.ruling.decision in ("accept", "amend") else ""

    def _start(self) -> None:
        facts: dict[str, Any] = {"port": free_port(), "started_at": time.time()}
        self._process.facts = facts
        where = (self._folder / "current").resolve()
        self._process.start(self._filled("start"), where, self._environment(), facts)

    def _settled_at(self, service: LiveService) -> float:
        """Since when it runs what it runs now."""
        started = self._process.facts.get("started_at")
        since = 0.0 if started is None else float(started) + SETTLED_S
        return max([since, *map(settled, service.states())])

    def _words(self) -> dict[str, str]:
        port = str(self._process.facts.get("port", 0))
        return {
            "here": str(self._here),
            "live": str(self._folder),
            "telemetry": str(self._home / "telemetry.jsonl"),
            "data": str(self._home / "data"),
            "port": port,
            "url": self.plan.url.replace("{port}", port).rstrip("/"),
        }

    def _filled(self, name: Literal["start", "load", "reload"]) -> tuple[str, ...]:
        return fill_words(getattr(self.plan, name), self._words(), f"live.{name}")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._campaign.environment}


def settled(state: DeploymentState) -> float:
    """Since when a service is what this deployment has made of it; 0 for one that never went live."""
    if state.stage == "kept" and state.watched_since is not None:
        return state.watched_since
    return state.at if state.finished and state.stage != "undone" else 0.0


def watch_rules_of(plan: LivePlan, settings: ImprovementSettings) -> WatchRules:
    """How a deployment is watched.  Raises ConfigError."""
    told = {
        "duration_s": settings.monitoring_duration_s,
        "interval_s": settings.monitoring_interval_s,
        "threshold": settings.rollback_threshold,
    }
    return watch_rules({}, **{**told, **plan.watch})


@contextlib.asynccontextmanager
async def open_live(
    folder: StateFolder, ledger: Ledger, stored: StoredCampaign, door: LiveDoor | None, *, trusted: bool = False
) -> AsyncIterator[LiveSession | None]:
    """The session of a campaign of kind `live`, closed whatever happens; None for one of another kind.

    Raises ConfigError where nobody hands in what it needs.
    """
    if stored.definition.kind != "live":
        yield None
        return
    if door is None:
        raise ConfigError(
            f"{stored.id} improves a live service, which needs leave by the policy",
            where="run_campaign",
            hint="`python run_graph.py improve CAMPAIGN.yaml`, or hand in `live`",
        )
    session = LiveSession(folder.services / stored.id, stored.definition, door, trusted)
    forget = ledger.listen(note)
    try:
        yield session
    finally:
        await session.close()
        forget()
