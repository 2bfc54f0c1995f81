"""What an executor needs of a campaign on code: the base, the candidates, and whether their code is trusted."""

from __future__ import annotations

from dataclasses import dataclass

from agents.code.population import Population
from runtime.workspaces import Base

__all__ = ["CodeWork"]


@dataclass(frozen=True)
class CodeWork:
    """`trusted`: a person on this machine said that the code may run where there is no isolation."""

    base: Base
    population: Population
    trusted: bool = False
