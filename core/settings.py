"""Settings of the program (not of a campaign), and where each one came from.

Precedence: flag > --set > environment (RATCHET_*) > project file `ratchet.toml` > user file > built-in.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.errors import ConfigError, nearest
from core.validation import config_error

__all__ = ["Settings", "load_settings", "user_file"]


class Settings(BaseModel):
    """What can be set outside a campaign."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Field(default=Path(".ratchet"), description="the state folder")
    ledger_url: str = Field(default="", description="the ledger's database; empty: ledger.db in the state folder")
    experiments_dir: Path | None = Field(default=None, description="the jobs' folders; default: in the state folder")
    episodes_dir: Path | None = Field(
        default=None, description="the logs of episodes; default: training/episodes in the state folder"
    )
    log_episodes: bool = Field(default=True, description="whether a campaign's cycles are logged as episodes")
    control_plane_url: str = Field(default="", description="where jobs run; empty: in this process")
    control_plane_wait_s: float = Field(default=120.0, ge=0, description="patience with a silent control plane")
    model: str = Field(default="", description="the language model of campaigns that name none: auto, ollama:NAME, …")
    policy_file: Path | None = Field(default=None, description="rules of what may be done; default: those shipped")
    safe_mode: bool = Field(default=False, description="nothing leaves the machine and nothing is deployed")
    webhook_url: tuple[str, ...] = Field(default=(), description="where events are sent, signed; several with spaces")
    webhook_events: tuple[str, ...] = Field(default=(), description="types of events; empty: the important ones")
    webhook_private: bool = Field(default=False, description="whether a name may lead to a private address")
    embedding_model: str = Field(default="all-MiniLM-L6-v2", description="model name, path, or `hash`")

    @field_validator("webhook_url", "webhook_events", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        """One text may name several, with spaces or commas between them."""
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


VARIABLES = {
    "ARC_EXPERIMENTS_DIR": "experiments_dir",
    "ARC_MEMORY_DIR": "home",
    "CONTROL_PLANE_URL": "control_plane_url",
    "EPISODES_DIR": "episodes_dir",
}
"""Variables of the sources that stand beside RATCHET_<NAME>."""


def user_file(environment: Mapping[str, str]) -> Path:
    """The user's own settings file."""
    base = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".config")
    return Path(base) / "ratchet" / "ratchet.toml"


def load_settings(
    flags: Mapping[str, Any],
    sets: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
    project: Path | None = None,
) -> Settings:
    """The settings in force.  Raises ConfigError for an unknown key, naming its file and the nearest known one."""
    project_file = project or Path("ratchet.toml")
    layers = [
        (str(user_file(environment)), _read(user_file(environment))),
        (str(project_file), _read(project_file)),
        ("environment", _from_environment(environment)),
        ("--set", dict(sets)),
        ("command line", {name: value for name, value in flags.items() if value is not None}),
    ]
    merged: dict[str, Any] = {}
    for where, values in layers:
        for name in values:
            if name not in Settings.model_fields:
                raise ConfigError(f"unknown setting {name!r}", where=where, hint=nearest(name, Settings.model_fields))
        try:
            Settings.model_validate({**merged, **values})
        except ValidationError as error:
            raise config_error(error, Settings, where) from error
        merged |= values
    return Settings.model_validate(merged)


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    values = {setting: environment[name] for name, setting in VARIABLES.items() if environment.get(name)}
    for name in Settings.model_fields:
        if value := environment.get(f"RATCHET_{name.upper()}"):
            values[name] = value
    return values


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read the settings: {error}", where=str(path)) from error
