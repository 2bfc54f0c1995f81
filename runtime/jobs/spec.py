"""What a job is to do and may use."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from core.campaign import Limits
from core.errors import ConfigError, nearest
from core.ids import content_hash
from core.records import Config, Record

__all__ = ["JobSpec", "StopRule", "job_environment", "resolve_command", "temporary_directory"]

PLACEHOLDER = re.compile(r"\{(\w+)\}")
INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")
TMPDIR_BYTES = 70
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class StopRule(Record):
    """End a job that reports `metric`, at one of the steps of `thresholds`, worse than the value there."""

    metric: str
    goal: Literal["maximize", "minimize"] = "maximize"
    thresholds: dict[int, float] = Field(min_length=1)


class JobSpec(Record):
    """One attempt of one job.

    `directory` is the job's own: its working directory, where its config, logs and result are.  The job reads
    `config.json` there (`config` and, where it has none of that name, `seed`).  An attempt is started at most once,
    ever; a further try is the same spec with the next `attempt`.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:\-]{0,127}$")
    directory: Path
    command: tuple[str, ...] = Field(min_length=1, description="argument list, resolved; no shell reads it")
    config: Config = Field(default={})
    seed: int = 0
    environment: dict[str, str] = Field(default={}, description="added to the clean environment of every job")
    limits: Limits = Limits()
    metrics_required: tuple[str, ...] = Field(default=(), description="must be there, and finite, for status `ok`")
    patterns: dict[str, str] = Field(default={}, description="metric → regular expression with one group")
    stop_rule: StopRule | None = None
    attempt: int = Field(default=1, ge=1)
    keep_bytes: int = Field(default=1024 * 1024, ge=16 * 1024, description="of stdout and of stderr, on disk")
    file_mb: float = Field(default=4096.0, gt=0, description="the largest file the job may write")
    containment: Literal["best", "process group"] = "best"

    @field_validator("directory")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.absolute()

    @field_validator("patterns")
    @classmethod
    def _one_group(cls, value: dict[str, str]) -> dict[str, str]:
        for metric, pattern in value.items():
            try:
                groups = re.compile(pattern).groups
            except re.error as error:
                raise ValueError(f"the pattern of {metric} is not a regular expression: {error}") from error
            if groups != 1:
                raise ValueError(f"the pattern of {metric} has {groups} groups; write one, such as {metric}=([0-9.]+)")
        return value

    @model_validator(mode="after")
    def _no_nul(self) -> JobSpec:
        words = [*self.command, *self.environment.values(), *self.environment]
        if any("\0" in word for word in words) or any("=" in name or not name for name in self.environment):
            raise ValueError("a command or an environment holds a character that no process can be given")
        return self

    def keeper_input(self) -> dict[str, Any]:
        """What the keeper is told, as JSON data."""
        told = self.model_dump(mode="json", exclude={"version", "directory", "seed", "file_mb"})
        told["limits"]["file_mb"] = self.file_mb
        told["config"] = {"seed": self.seed, **told["config"]}
        told["temporary"] = str(temporary_directory(self.directory))
        told["environment"] = job_environment(self, os.environ)
        if self.stop_rule is not None:
            told["stop_rule"].pop("version")
        return told


def job_environment(spec: JobSpec, parent: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of the job: a few names of the parent's, what makes runs repeatable, and the spec's.

    Everything else of the parent's, tokens and keys among it, stays here.
    """
    clean = {name: parent[name] for name in INHERITED if name in parent}
    clean.setdefault("PATH", os.defpath)
    clean.setdefault("LANG", "C.UTF-8")
    return {
        **clean,
        "TMPDIR": str(temporary_directory(spec.directory)),
        **dict.fromkeys(THREADS, "1"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",
        **spec.environment,
        "RATCHET_JOB": spec.id,
        "RATCHET_DIRECTORY": str(spec.directory),
        "RATCHET_CONFIG": str(spec.directory / "config.json"),
        "RATCHET_SEED": str(spec.config.get("seed", spec.seed)),
    }


def temporary_directory(directory: Path) -> Path:
    """Where the job's temporary files go: in its directory, or, when that has a long path, in one known by its hash.

    Training libraries put the sockets of their workers there, and a socket's path has at most 107 bytes.
    """
    inside = directory / "tmp"
    if len(os.fsencode(inside)) <= TMPDIR_BYTES:
        return inside
    return Path("/tmp") / f"ratchet-{os.getuid()}-{content_hash(str(directory))[:16]}"  # noqa: S108 -- made anew, 0700


def resolve_command(command: Sequence[str], here: Path, config_path: Path, directory: Path) -> tuple[str, ...]:
    """`command` with `{python}`, `{here}`, `{config}` and `{directory}` filled in, the paths made absolute.

    `{python}` is this interpreter, so that a virtual environment stays in use.  Raises ConfigError for another name.
    """
    values = {
        "here": str(here.absolute()),
        "config": str(config_path.absolute()),
        "directory": str(directory.absolute()),
    }
    return fill_words(command, values, "command")


def fill_words(command: Sequence[str], values: Mapping[str, str], where: str) -> tuple[str, ...]:
    """`command` with `{python}` and the placeholders of `values` filled in.  Raises ConfigError for another name."""
    known = {"python": sys.executable, **values}

    def fill(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise ConfigError(
                f"the command has an unknown placeholder {match[0]}", where=where, hint=nearest(match[1], known)
            )
        return known[match[1]]

    return tuple(PLACEHOLDER.sub(fill, word) for word in command)
