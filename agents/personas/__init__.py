"""Personas of voters, as YAML: the ones that ship here, and those of a campaign in a file of its own.

    personas:
      - {name: thrifty, description: You count what a trial costs., permissions: [vote], temperature: 0.3}

A campaign's file is read anew in every cycle, so that a persona can be changed while it runs.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ConfigError, NotFoundError, nearest
from core.validation import config_error

__all__ = ["FILE", "Persona", "PersonaRegistry"]

FILE = "personas.yaml"
"""Beside the campaign."""


class Persona(BaseModel):
    """Who a voter is.  Without the permission `veto` it cannot stop a proposal, without `vote` it only speaks."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(pattern=r"^[a-z][a-z0-9_\-]{0,39}$")
    role: Literal["voter"] = "voter"
    description: str = Field(min_length=10, max_length=1500)
    permissions: tuple[Literal["vote", "veto"], ...] = ("vote",)
    model: str = Field(default="", description="empty: the seat's")
    temperature: float | None = Field(default=None, ge=0, le=2, description="None: the campaign's")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    personas: list[Persona] = []


class PersonaRegistry:
    """Personas by name; those of the campaign's folder stand above the ones that ship.

    `switch(seat, name)` lets another persona take a seat from the next cycle on.
    """

    def __init__(self, here: Path | None = None, file: str = FILE) -> None:
        self._path = None if here is None else here / file
        self._switched: dict[str, str] = {}

    def names(self) -> list[str]:
        return sorted(self._all())

    def get(self, name: str) -> Persona:
        """Raises NotFoundError, naming those that there are, and ConfigError for a wrong file."""
        known = self._all()
        if name not in known:
            raise NotFoundError(f"there is no persona {name!r}", where="personas", hint=nearest(name, known))
        return known[name]

    def switch(self, seat: str, name: str) -> None:
        """Raises NotFoundError for an unknown persona."""
        self._switched[seat] = self.get(name).name

    def seated(self, seat: str) -> Persona:
        """Who sits on a seat now: its own persona, unless another was switched to."""
        return self.get(self._switched.get(seat, seat))

    def _all(self) -> dict[str, Persona]:
        own = [] if self._path is None or not self._path.is_file() else _read(self._path).personas
        return {one.name: one for one in (*_shipped(), *own)}


def _shipped() -> list[Persona]:
    found = sorted(path.name for path in files("agents.personas").iterdir() if path.name.endswith(".yaml"))
    told = [yaml.safe_load(files("agents.personas").joinpath(name).read_text(encoding="utf-8")) for name in found]
    return [Persona.model_validate({k: v for k, v in one.items() if k != "schema"}) for one in told]


def _read(path: Path) -> _File:
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return _File.model_validate({k: v for k, v in (data or {}).items() if k != "schema"})
    except ValidationError as error:
        raise config_error(error, _File, str(path)) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError) as error:
        raise ConfigError(f"cannot read the personas: {error}", where=str(path)) from error
