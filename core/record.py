"""What every record is: frozen, versioned, JSON round-trip."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Mode", "Record", "Source"]

Mode = Literal["explore", "exploit", "recover"]
Source = Literal["rules", "model", "replay", "human"]
"""Who decided: an algorithm, a language model, a recorded answer of one, or a person."""


class Record(BaseModel):
    """A fact that never changes once written.  `version` is the schema number of its class."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")
    schema_version: ClassVar[int] = 1
    version: int = 1
