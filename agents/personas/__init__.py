"""Personas of voters and proposers, as YAML: the ones that ship here, and those of a campaign in a file of its own.

    personas:
      - {name: thrifty, description: You count what a trial costs., permissions: [vote], temperature: 0.3}

A campaign's files are read anew in every cycle, so that a persona can be changed, and a seat given to another, while it
runs.  Who sits where is kept beside the personas, in `personas.seats.yaml`, and outlives the program.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.campaign import Council, Use
from core.errors import ConfigError, NotFoundError, nearest
from core.files import write_private
from core.validation import config_error

__all__ = ["DISSENTER", "FILE", "Persona", "PersonaRegistry", "check_personas", "models_of_personas", "persona_model"]

FILE = "personas.yaml"
"""Beside the campaign."""
DISSENTER = "dissenter"
"""Sits in every council with a model, and cannot be sent away."""
SCHEMA = 1
MAX_SIZE_BYTES = 200_000

M = TypeVar("M", bound=BaseModel)


class Persona(BaseModel):
    """Who somebody is.

    Without the permission `veto` it cannot stop a proposal, without `vote` it only speaks, without `propose` it cannot
    sit among the proposers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(pattern=r"^[a-z][a-z0-9_\-]{0,39}$")
    role: Literal["voter"] = "voter"
    description: str = Field(min_length=10, max_length=1500)
    permissions: tuple[Literal["vote", "veto", "propose"], ...] = ("vote",)
    model: str = Field(default="", description="empty: the seat's")
    temperature: float | None = Field(default=None, ge=0, le=2, description="None: the campaign's")


class _Personas(BaseModel):
    model_config = ConfigDict(extra="forbid")
    personas: list[Persona] = Field(default=[], max_length=100)

    @field_validator("personas")
    @classmethod
    def _once(cls, value: list[Persona]) -> list[Persona]:
        names = [one.name for one in value]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} stands there twice")
        return value


class _Seats(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seats: dict[str, str] = Field(default={}, max_length=100)


class PersonaRegistry:
    """Personas by name; those of the campaign's folder stand above the ones that ship."""

    def __init__(self, here: Path | None = None, file: str = FILE) -> None:
        self._path = None if here is None else here / file
        self._seats = None if self._path is None else self._path.with_suffix(".seats.yaml")

    def names(self) -> list[str]:
        return sorted(self._all())

    def get(self, name: str) -> Persona:
        """Raises NotFoundError, naming those that there are, and ConfigError for a wrong file."""
        known = self._all()
        if name not in known:
            raise NotFoundError(f"there is no persona {name!r}", where="personas", hint=nearest(name, known))
        return known[name]

    def switch(self, seat: str, name: str) -> None:
        """Let another persona take a seat from the next cycle on, also of a campaign that runs in another process.

        Raises NotFoundError for an unknown persona, and ConfigError for the dissenter's seat.
        """
        if seat == DISSENTER:
            raise ConfigError("the dissenter keeps its seat", where="personas", hint="change its description instead")
        if self._seats is None:
            raise ConfigError("nobody can be switched without a campaign's folder", where="personas")
        seats = {**self._switched(), seat: self.get(name).name}
        write_private(self._seats, yaml.safe_dump({"schema": SCHEMA, "seats": dict(sorted(seats.items()))}))

    def seated(self, seat: str) -> Persona:
        """Who sits on a seat now: its own persona, unless another was switched to."""
        return self.get(seat if seat == DISSENTER else self._switched().get(seat, seat))

    def _switched(self) -> dict[str, str]:
        return {} if self._seats is None or not self._seats.is_file() else _read(self._seats, _Seats).seats

    def _all(self) -> dict[str, Persona]:
        own = [] if self._path is None or not self._path.is_file() else _read(self._path, _Personas).personas
        return {one.name: one for one in (*_shipped(), *own)}


def check_personas(council: Council, here: Path) -> None:
    """Every persona that the council names is there, and may do what its seat does.  Raises ConfigError."""
    for use in council.voting:
        _seated(use, here)
    for use in council.proposers:
        who = _seated(use, here)
        if who is not None and "propose" not in who.permissions:
            raise ConfigError(
                f"the persona {use.parameters['persona']!r} may not propose",
                where=f"council, {use.use}",
                hint="give it `permissions: [vote, propose]` in a personas.yaml beside the campaign",
            )


def models_of_personas(council: Council, here: Path) -> list[str]:
    """The models that the personas in the council name for themselves.  Raises ConfigError and NotFoundError."""
    named = [persona_model(use, here) for use in (*council.proposers, *council.voting)]
    return [model for model in dict.fromkeys(named) if model]


def persona_model(use: Use, here: Path) -> str:
    """The model that who sits there names for itself; empty where none does.  Raises as above."""
    who = _seated(use, here)
    return who.model if who is not None else ""


def _seated(use: Use, here: Path) -> Persona | None:
    """Who sits there now; None where it is no persona's seat, or that of a role of somebody else."""
    name = str(use.parameters.get("persona", "critical" if use.use == "persona" else ""))
    if not name or ":" in use.use:
        return None
    return PersonaRegistry(here, str(use.parameters.get("file", FILE))).seated(name)


def _shipped() -> list[Persona]:
    found = sorted(path.name for path in files("agents.personas").iterdir() if path.name.endswith(".yaml"))
    return [_read(Path(str(files("agents.personas").joinpath(name))), Persona) for name in found]


class _Loader(yaml.SafeLoader):
    """Without aliases, by which a small file becomes a huge one."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


def _read(path: Path, form: type[M]) -> M:
    where = str(path)
    try:
        if path.stat().st_size > MAX_SIZE_BYTES:
            raise ConfigError(f"the file has more than {MAX_SIZE_BYTES:,} bytes", where=where)
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader) or {}  # noqa: S506  # a SafeLoader
        if not isinstance(data, dict):
            raise ConfigError(f"it holds a {type(data).__name__}, no keys", where=where, hint="write `personas: […]`")
        schema = data.pop("schema", SCHEMA)
        if schema != SCHEMA:
            hint = f"this version reads schema: {SCHEMA}"
            raise ConfigError(f"schema {schema!r} is not known", where=where, hint=hint)
        return form.model_validate(data)
    except ValidationError as error:
        raise config_error(error, form, where) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError, RecursionError) as error:
        raise ConfigError(f"cannot read the personas: {error}", where=where) from error
