"""What a campaign of kind `live` improves: a running service, how it is reached, and what is known of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from core.durations import parse_duration
from core.records import Record

__all__ = ["LivePlan", "TelemetryFrom"]


class TelemetryFrom(Record):
    """One source of telemetry; exactly one of the four."""

    jsonl: str = Field(default="", description="a file that the service adds JSON lines to; {telemetry}: one of ours")
    prometheus: str = Field(default="", description="URL that is scraped")
    otlp: str = Field(default="", description="host:port at which OpenTelemetry's protocol is listened for (HTTP)")
    cloudwatch: dict[str, Any] = Field(default={}, description="region, namespace, log groups, … of AWS CloudWatch")

    @model_validator(mode="after")
    def _one(self) -> TelemetryFrom:
        named = [name for name in ("jsonl", "prometheus", "otlp", "cloudwatch") if getattr(self, name)]
        if len(named) != 1:
            raise ValueError("name one of jsonl, prometheus, otlp, cloudwatch for each source")
        return self


class LivePlan(Record):
    """What may change in a running service, and how it is watched.

    With `start` the service is started here, from a copy of `root` kept in the state folder: your own files stay as
    they are.  Without it, `url` names one that runs, and `folder` has its releases.  In commands and URLs {port},
    {live}, {telemetry} and {data} stand for a free port, the folder of the releases, a file for telemetry lines and a
    folder for the service's own.
    """

    root: str = "."
    files: tuple[str, ...] = Field(min_length=1, description="patterns below root of what may change")
    never: tuple[str, ...] = Field(default=("tests",), description="files and folders that no improvement touches")
    start: tuple[str, ...] = Field(default=(), description="runs in the copied root; empty: the service runs already")
    folder: str = Field(default="", description="of the releases of a service that runs already, below the campaign's")
    url: str = Field(default="http://127.0.0.1:{port}", description="where the service answers")
    health: str = Field(default="/health", description="path that answers 200 when it is well")
    ready_s: float = Field(default=30.0, gt=0, description="how long it may take to be well after its start")
    reload: tuple[str, ...] = Field(default=(), description="command that makes it take new files; empty: by itself")
    load: tuple[str, ...] = Field(default=(), description="command of a load that runs beside; its last line is JSON")
    telemetry: tuple[TelemetryFrom, ...] = Field(min_length=1)
    tests: tuple[str, ...] = Field(min_length=1, description="run in a copy of root with the draft in it")
    package: tuple[str, ...] = Field(default=(), description="files, folders, patterns that coverage is of; empty: all")
    listen_s: float = Field(default=60.0, gt=0, description="of telemetry of the service as it is now, waited for")
    window_hours: float = Field(default=1.0, gt=0, description="of telemetry that is analysed")
    max_improvements: int = Field(default=3, ge=1, description="that one cycle puts live")
    watch: dict[str, Any] = Field(default={}, description="of the watch what no setting says, such as least_history")
    trigger: Literal["hand", "schedule", "alarm"] = Field(default="hand", description="why the cycle runs")
    preset: str = Field(default="basic", description="basic, conservative, aggressive")
    settings: dict[str, Any] = Field(default={}, description="what is otherwise than in the preset")
    tenant: str = Field(default="", description="whose service it is; empty: the owner's of the installation")
    canary_share: float = Field(default=0.0, ge=0, lt=1, description="of the requests that get a new version first")
    planted: str = Field(default="", description="folder of a regression that `--plant-regression` puts live")

    @field_validator("listen_s", "ready_s", mode="before")
    @classmethod
    def _duration(cls, value: Any) -> float:
        return parse_duration(value)

    @field_validator("start", "load", "tests", "reload", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError('write the command as a list: ["{python}", "-m", "shop", "--port", "{port}"]')
        return value

    @model_validator(mode="after")
    def _somewhere(self) -> LivePlan:
        if not self.start and ("{port}" in self.url or not self.folder):
            raise ValueError("name the `url` and the `folder` of the service that runs, or a `start` command")
        return self

    def is_kept(self, path: str) -> bool:
        """Whether a path below root is one that no improvement touches."""
        return any(path == own or path.startswith(f"{own.rstrip('/')}/") for own in self.never)
