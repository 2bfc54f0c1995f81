"""A change put live: the service it is for, how it is reloaded and checked, and how far the deployment has come."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from core.ids import content_id
from core.policy import DEFAULT_TENANT
from core.records import Record, lies_below
from core.watch import WatchLevel, WatchVerdict

__all__ = [
    "FINISHED",
    "Deployment",
    "DeploymentStage",
    "DeploymentState",
    "HealthCheck",
    "HealthReading",
    "LiveTarget",
    "ReloadByCommand",
    "ReloadByReloader",
    "ReloadBySignal",
    "ReloadWay",
    "Reloaded",
]

DeploymentStage = Literal[
    "planned",
    "stored",
    "canary",
    "switched",
    "reloaded",
    "watching",
    "kept",
    "rolling_back",
    "restored",
    "rolled_back",
    "undone",
]
"""What was begun last; every stage is written down before its own work.

planned     the new release is being stored beside the old one
stored      it lies there whole
canary      a share of the requests may get it
switched    it may be the live one
reloaded    the running service was told, and said what it serves
watching    it is healthy, and watched
kept        the watch is over
rolling_back, restored, rolled_back     the old one is being put back; is live; serves
undone      it never became live
"""

FINISHED: frozenset[DeploymentStage] = frozenset({"kept", "rolled_back", "undone"})

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Words = Annotated[tuple[str, ...], Field(min_length=1)]


class ReloadByReloader(Record):
    """The service has a `Reloader` in it: every process of it is asked over loopback and says what it serves."""

    kind: Literal["reloader"] = "reloader"
    timeout_s: float = Field(default=30.0, gt=0, le=600)
    least_processes: int = Field(default=1, ge=0, description="that must answer; 0: the service may be down")


class ReloadBySignal(Record):
    """A signal to the very process that wrote the pid file."""

    kind: Literal["signal"] = "signal"
    pid_file: Path
    signal: Literal["HUP", "USR1", "USR2"] = "HUP"
    settle_s: float = Field(default=0.5, ge=0, le=60, description="until the health is asked for")


class ReloadByCommand(Record):
    """A command that is given as an argument list; no shell reads it."""

    kind: Literal["command"] = "command"
    command: Words
    timeout_s: float = Field(default=60.0, gt=0, le=3600)


ReloadWay = Annotated[ReloadByReloader | ReloadBySignal | ReloadByCommand, Field(discriminator="kind")]


class HealthCheck(Record):
    """Healthy is `status` at the URL, or exit code 0 of the command."""

    url: str = Field(default="", description="http or https; redirects are not followed")
    status: int = Field(default=200, ge=100, le=599)
    command: tuple[str, ...] = ()
    timeout_s: float = Field(default=5.0, gt=0, le=60)
    tries: int = Field(default=5, ge=1, le=100, description="after a reload, before it counts as unhealthy")
    pause_s: float = Field(default=0.5, ge=0, le=60)

    @model_validator(mode="after")
    def _one_way(self) -> HealthCheck:
        if bool(self.url) == bool(self.command):
            raise ValueError("needs a url or a command, and not both")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ValueError("the url of a health check begins with http:// or https://")
        return self


class LiveTarget(Record):
    """A running service whose code lies in releases below `folder`.

    `allowed` are the paths that a deployment may change, with `*` for parts of a name and `**` for folders.
    """

    service: Name
    folder: Path
    allowed: tuple[str, ...] = Field(min_length=1)
    reload: ReloadWay = ReloadByReloader()
    health: HealthCheck
    tenant: Name = Field(default=DEFAULT_TENANT, description="whose service it is where it does not route by tenant")
    routes_tenants: bool = Field(default=False, description="it serves each tenant the version that routes.json names")
    canary_share: float = Field(default=0.0, ge=0, lt=1, description="of the requests that get a new version first")
    kept_releases: int = Field(default=5, ge=1, description="that no deployment needs any more")

    @field_validator("folder")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.absolute()

    @field_validator("allowed")
    @classmethod
    def _below(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            if not lies_below(pattern):
                raise ValueError(f"{pattern!r} is not a path below the service's folder")
        return value


class Deployment(Record):
    """What is put live in place of what.  The id comes from the content: the same change on the same base is one."""

    id: str
    service: str
    tenant: str = DEFAULT_TENANT
    scope: Literal["tenant", "system"] = "tenant"
    previous: str = Field(description="digest of the release before")
    digest: str = Field(description="of the new release")
    paths: tuple[str, ...] = Field(description="files that are changed, sorted")
    canary_share: float = Field(default=0.0, ge=0, lt=1)
    campaign_id: str = ""
    proposal_id: str = ""
    approval_id: str = ""
    reason: str = ""

    @classmethod
    def make(cls, **fields: object) -> Deployment:
        made = cls.model_validate({"id": "", **fields})
        parts = (made.service, made.tenant, made.scope, made.previous, made.digest, made.campaign_id, made.proposal_id)
        return made.model_copy(update={"id": content_id("d", *parts)})


class Reloaded(Record):
    """What the running service said after a reload: by process, the digest of the release it now serves."""

    ok: bool
    reason: str = ""
    serving: dict[str, str] = Field(default={}, description="digest by process")


class HealthReading(Record):
    """`unknown`: nobody could ask, such as a command that is not there."""

    answer: Literal["healthy", "unhealthy", "unknown"]
    reason: str = ""
    at: float = 0.0
    seconds: float = Field(default=0.0, ge=0)


class DeploymentState(Record):
    """One entry of a deployment's journal: written before the stage's own work is begun."""

    deployment: Deployment
    stage: DeploymentStage
    fence: int = Field(default=1, ge=1, description="of the effect; an older one is refused")
    attempt: int = Field(default=1, ge=1)
    began_at: float
    at: float
    share: float = Field(default=1.0, gt=0, le=1, description="of the requests, that may get the new version")
    reason: str = ""
    reloaded: Reloaded | None = None
    health: HealthReading | None = None
    baseline: WatchLevel | None = None
    watched_since: float | None = None
    verdict: WatchVerdict | None = None
    decided_at: float | None = Field(default=None, description="when it was decided to roll back")
    rollback_s: float | None = Field(default=None, ge=0, description="from the decision to the old version, healthy")

    @property
    def finished(self) -> bool:
        return self.stage in FINISHED

    @property
    def live(self) -> bool:
        """Whether the new version may be serving requests."""
        return self.stage in {"canary", "switched", "reloaded", "watching", "kept", "rolling_back"}
