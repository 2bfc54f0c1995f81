"""The agents of a council by number: `director_001`, `proposer_002`, … in the order of the campaign."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.errors import NotFoundError, nearest
from graph.council import Council

__all__ = ["AgentRegistry", "Seat"]


@dataclass(frozen=True)
class Seat:
    """Who sits where: `agent` is the role's own async call."""

    agent_id: str
    role: str
    name: str
    agent: Any


class AgentRegistry:
    """`get_agent("historian_001")` is the campaign's training historian; every other id is a `Seat`."""

    def __init__(self, council: Council, historian: Any) -> None:
        self._agents: dict[str, Any] = {}
        for role, seats in (
            ("director", [("director", council.director)]),
            ("proposer", council.proposers.items()),
            ("voter", council.voters.items()),
            ("supervisor", [("supervisor", council.supervisor)]),
            ("executor", [("executor", council.executors["experiment"])]),
        ):
            self._seat(role, seats)
        self._agents["historian_001"] = historian

    def get_agent(self, agent_id: str) -> Any:
        """Raises NotFoundError, naming those that there are."""
        if agent_id not in self._agents:
            raise NotFoundError(
                f"there is no agent {agent_id!r}", where="registry", hint=nearest(agent_id, self._agents)
            )
        return self._agents[agent_id]

    def list_agents(self) -> list[str]:
        return list(self._agents)

    def _seat(self, role: str, seats: Iterable[tuple[str, Any]]) -> None:
        for number, (name, agent) in enumerate(seats, 1):
            agent_id = f"{role}_{number:03}"
            self._agents[agent_id] = Seat(agent_id, role, name, agent)
