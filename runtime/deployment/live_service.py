"""A change goes live in a running service, step by step, and back again.

Every step is written down before it is taken (`runtime.deployment.journal`), so that `recover` can finish or undo what
a kill has left.  What is live is always the old release or the new one, whole:

    killed before the new version was seen healthy    the old one is put back
    killed while it was watched                       it stays, and the watch goes on
    killed while it was rolled back                   the rollback is finished

One deployment at a time is under way in a service: two that are watched at once could not be told apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from core.deployment import Deployment, DeploymentState, HealthReading, LiveTarget, Reloaded
from core.errors import BusyError, DeploymentError, NotFoundError, RatchetError, StorageError
from core.ids import Clock, system_clock
from core.policy import Decision
from core.watch import WatchLevel, WatchVerdict
from runtime.deployment.health import check_health, wait_healthy
from runtime.deployment.journal import Journal
from runtime.deployment.leave import check_leave
from runtime.deployment.placing import Placing
from runtime.deployment.releases import Changes, Releases, check_allowed
from runtime.deployment.reload import reload_service

__all__ = ["ENDED_EARLY", "Alert", "LiveService", "Recorder"]

Recorder = Callable[[DeploymentState], None]
"""Told of every step before it is taken: the ledger's effect and the audit.  If it raises, the step is not taken,
except on the way back."""
ENDED_EARLY = "the program ended before it was seen healthy"
"""The reason of a rollback after a kill: it says nothing of the new version."""
Alert = Callable[[DeploymentState], None]
"""Told of every rollback, at least once: the id of the deployment is the same when it is told again."""


class LiveService:
    def __init__(
        self,
        target: LiveTarget,
        *,
        record: Recorder = lambda _: None,
        alert: Alert = lambda _: None,
        clock: Clock = system_clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.target = target
        self.releases = Releases(target.folder)
        self._journal = Journal(target.folder)
        self._placing = Placing(target, self.releases)
        self._record, self._alert, self._clock, self._sleep = record, alert, clock, sleep

    # ------------------------------------------------------------------------- looking

    def states(self) -> list[DeploymentState]:
        """Every deployment to this service, in the order they began."""
        return self._journal.all()

    def state(self, deployment_id: str) -> DeploymentState:
        """Raises NotFoundError."""
        return self._journal.read(deployment_id)

    def health(self) -> HealthReading:
        return check_health(self.target.health, self._clock)

    def reload(self) -> Reloaded:
        return reload_service(self.target, self._sleep)

    # ------------------------------------------------------------------------ going live

    def plan(self, changes: Changes, **fields: Any) -> Deployment:
        """The deployment of `changes` (by path) on what the tenant, or with scope `system` everybody, is served now.

        `fields` are those of `Deployment`: tenant, scope, campaign_id, proposal_id, approval_id, reason,
        canary_share.  Nothing is written.  Raises DeniedError for a path that may not be changed, or another's tenant.
        """
        check_allowed(self.target, changes)
        tenant, scope = fields.pop("tenant", self.target.tenant), fields.pop("scope", "tenant")
        self._placing.check_scope(tenant, scope)
        previous = self._placing.serving(tenant, scope)
        return Deployment.make(
            service=self.target.service,
            tenant=tenant,
            scope=scope,
            previous=previous,
            digest=self.releases.digest_of(previous, changes),
            paths=tuple(sorted(changes)),
            **{"canary_share": self.target.canary_share, **fields},
        )

    def deploy(
        self,
        deployment: Deployment,
        changes: Changes,
        *,
        leave: Decision,
        baseline: WatchLevel | None = None,
        fence: int = 1,
    ) -> DeploymentState:
        """Store, switch, reload, ask for its health.  The answer's stage is `watching`, or `rolled_back` with why.

        The same deployment again goes on where it is.  One that was rolled back or undone is tried anew.  `leave` is
        the policy's decision on Action.DEPLOY; scope `system` needs an `approval_id` besides.  Raises PolicyErrors,
        BusyError for another deployment under way, a process at it, or an older `fence`, DeploymentError when the
        service is no longer what the deployment was planned on, StorageError.
        """
        check_leave(deployment, leave)
        check_allowed(self.target, changes)
        self._placing.check_scope(deployment.tenant, deployment.scope)
        with self._journal.owned():
            known = self._known(deployment, fence)
            if known is not None and known.stage in ("watching", "kept"):
                return known
            if known is not None and not known.finished:
                raise BusyError(f"deployment {deployment.id} was left half-way", hint="call recover first")
            self._check_plan(deployment, changes)
            self._journal.set_aside()
            now = self._clock()
            state = DeploymentState(
                deployment=deployment,
                stage="planned",
                fence=fence,
                attempt=known.attempt + 1 if known else 1,
                began_at=now,
                at=now,
                share=deployment.canary_share or 1.0,
                baseline=baseline,
            )
            self._enter(state)
            try:
                self.releases.check(deployment.previous)
                self.releases.store(deployment.previous, changes)
                state = self._enter(state, stage="stored")
            except RatchetError as error:
                self._enter(state, stage="undone", reason=error.what)
                raise
            state = self._enter(state, stage="canary" if deployment.canary_share else "switched")
            return self._proven(state)

    def promote(self, deployment_id: str) -> DeploymentState:
        """The canary becomes the version of all requests it is for; then as after `deploy`.

        Raises DeploymentError when it is no canary that is watched.
        """
        with self._journal.owned():
            state = self.state(deployment_id)
            if state.stage != "watching" or state.share == 1.0:
                raise DeploymentError(f"{deployment_id} is no canary that is watched: it is {state.stage}")
            state = self._enter(state, stage="switched", share=1.0, watched_since=None, verdict=None)
            return self._proven(state)

    def note(self, deployment_id: str, verdict: WatchVerdict) -> DeploymentState:
        """Write down what the watch says so far.  Raises DeploymentError when it is not watched."""
        with self._journal.owned():
            return self._enter(self._watched(deployment_id), verdict=verdict)

    def keep(self, deployment_id: str, verdict: WatchVerdict | None = None, *, reason: str = "") -> DeploymentState:
        """The watch is over, the new version stays; releases that nobody needs are removed."""
        with self._journal.owned():
            state = self._watched(deployment_id)
            if state.share < 1.0:
                raise DeploymentError(f"{deployment_id} is a canary: promote it first")
            state = self._enter(state, stage="kept", verdict=verdict or state.verdict, reason=reason)
            self._placing.tidy()
            self.releases.prune(self._placing.needed() | {state.deployment.previous}, self.target.kept_releases)
            return state

    # ------------------------------------------------------------------------ going back

    def roll_back(
        self, deployment_id: str, *, reason: str, verdict: WatchVerdict | None = None, fence: int | None = None
    ) -> DeploymentState:
        """Put the version before back, reload, ask for its health, tell the alert.

        The stage is `rolled_back`, with the time it took; or `restored` when the old version is live but the running
        service could not be told: `recover` tries again.  A rollback that is done already is answered as it is.
        Raises DeploymentError when another version went live since, StorageError when the old one is damaged.
        """
        with self._journal.owned():
            state = self.state(deployment_id)
            if fence is not None and fence < state.fence:
                raise BusyError(f"deployment {deployment_id} has been taken over by another")
            if state.stage in ("rolled_back", "undone"):
                return state
            if state.stage == "kept" and not self._placing.serves(state.deployment):
                raise DeploymentError(f"another version went live after {deployment_id}", where=self.target.service)
            return self._rolled_back(state, reason, verdict)

    def recover(self) -> list[DeploymentState]:
        """Finish or undo what was left by a kill; answers those, and the deployments whose watch has to go on."""
        if not self.releases.link.is_symlink():
            return []
        with self._journal.owned():
            return [self._recovered(state) for state in self.states() if not state.finished]

    # --------------------------------------------------------------------------- inside

    def _recovered(self, state: DeploymentState) -> DeploymentState:
        if state.stage in ("planned", "stored"):
            self.releases.sweep()
            return self._enter(state, stage="undone", reason="the program ended before it went live")
        deployment = state.deployment
        if self._placing.serving(deployment.tenant, deployment.scope) not in (deployment.previous, deployment.digest):
            return self._enter(state, stage="undone", reason="another version was put live by hand")
        if state.stage == "watching" and self._placing.serves(deployment):
            return state
        reason = state.reason if state.decided_at is not None else ENDED_EARLY
        return self._rolled_back(state, reason, state.verdict)

    def _proven(self, state: DeploymentState) -> DeploymentState:
        """From `canary` or `switched` on: put it there, reload, ask for its health."""
        try:
            self._placing.put(state.deployment, state.share)
        except StorageError as error:
            return self._rolled_back(state, error.what, None)
        reloaded = self.reload()
        state = self._enter(state, stage="reloaded", reloaded=reloaded)
        if not reloaded.ok:
            return self._rolled_back(state, f"not reloaded: {reloaded.reason}", None)
        health = wait_healthy(self.target.health, self._clock, self._sleep)
        if health.answer != "healthy":
            return self._rolled_back(
                state.model_copy(update={"health": health}), f"{health.answer}: {health.reason}", None
            )
        return self._enter(state, stage="watching", health=health, watched_since=self._clock())

    def _rolled_back(self, state: DeploymentState, reason: str, verdict: WatchVerdict | None) -> DeploymentState:
        decided = self._clock() if state.decided_at is None else state.decided_at
        state = self._enter_back(
            state, stage="rolling_back", reason=reason, verdict=verdict or state.verdict, decided_at=decided
        )
        try:
            try:
                self._placing.put_back(state.deployment)
            except StorageError:
                self._journal.make_room()
                self._placing.put_back(state.deployment)
        except StorageError as error:
            self._tell(state.model_copy(update={"reason": f"{state.reason}; NOT put back: {error.what}"}))
            raise
        state = self._enter_back(state, stage="restored")
        reloaded = self.reload()
        health = wait_healthy(self.target.health, self._clock, self._sleep)
        took = max(0.0, self._clock() - decided)
        state = state.model_copy(update={"reloaded": reloaded, "health": health, "rollback_s": took})
        if not reloaded.ok:
            note = f"{state.reason}; the old version is live, but the service could not be told: {reloaded.reason}"
            self._tell(state.model_copy(update={"reason": note}))
            return self._enter_back(state)
        told = self._tell(state)
        return self._enter_back(state, stage="rolled_back", reason="; ".join(filter(None, (state.reason, told))))

    def _tell(self, state: DeploymentState) -> str:
        """What kept the alert from arriving; empty when it did."""
        try:
            self._alert(state)
        except Exception as error:  # noqa: BLE001  # a partner's fault must not keep the old version from coming back
            return f"the alert did not arrive: {error}"
        return ""

    def _enter(self, state: DeploymentState, **fields: Any) -> DeploymentState:
        state = state.model_copy(update={"at": self._clock(), **fields})
        self._record(state)
        self._journal.write(state)
        return state

    def _enter_back(self, state: DeploymentState, **fields: Any) -> DeploymentState:
        """As `_enter`, on the way back, which neither a full disk nor a ledger that is away may bar."""
        state = state.model_copy(update={"at": self._clock(), **fields})
        try:
            self._record(state)
        except RatchetError as error:
            state = state.model_copy(update={"reason": f"{state.reason}; not recorded: {error.what}"})
        try:
            self._journal.write(state)
        except StorageError as error:
            state = state.model_copy(update={"reason": f"{state.reason}; not written down: {error.what}"})
        return state

    def _watched(self, deployment_id: str) -> DeploymentState:
        state = self.state(deployment_id)
        if state.stage != "watching":
            raise DeploymentError(f"{deployment_id} is not watched: it is {state.stage}", where=self.target.service)
        return state

    def _known(self, deployment: Deployment, fence: int) -> DeploymentState | None:
        for state in self.states():
            if not state.finished and state.deployment.id != deployment.id:
                raise BusyError(
                    f"deployment {state.deployment.id} is under way ({state.stage})",
                    where=self.target.service,
                    hint="wait for its end, or roll it back",
                )
        try:
            known = self.state(deployment.id)
        except NotFoundError:
            return None
        if fence < known.fence:
            raise BusyError(f"deployment {deployment.id} has been taken over by another", where=self.target.service)
        return known

    def _check_plan(self, deployment: Deployment, changes: Changes) -> None:
        serving = self._placing.serving(deployment.tenant, deployment.scope)
        if serving != deployment.previous:
            raise DeploymentError(
                f"the service has gone on: it serves {serving[:12]}, planned was {deployment.previous[:12]}",
                where=self.target.service,
                hint="plan it anew",
            )
        if self.releases.digest_of(serving, changes) != deployment.digest:
            raise DeploymentError("the changes are not those of the plan", where=deployment.id)
