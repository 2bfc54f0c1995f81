"""The desk: everything an operation works with, and who asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.policy import CAPABILITIES, DEFAULT_TENANT, Decision, PolicyContext
from core.settings import Settings
from memory.ledger import Ledger
from memory.state_folder import StateFolder
from service.operations.histories import Histories
from service.policy import Gate, local_context

if TYPE_CHECKING:
    from memory.recall import Recall

__all__ = ["Asker", "Desk", "SharedRecall", "local_asker", "open_desk"]


@dataclass(frozen=True)
class Asker:
    """Who asks, through which door.  The door has found this out; `approval_id` is a yes that it has checked.

    `capabilities` are those of the environment (`service.policy.capabilities_of`), `route` is such as
    `POST /admin/training/start`, `mcp start_campaign` or `cli`.
    """

    actor: str
    roles: tuple[str, ...] = ()
    tenant: str = DEFAULT_TENANT
    capabilities: frozenset[str] = frozenset()
    route: str = ""
    autonomous: bool = False
    approval_id: str = ""


class SharedRecall:
    """Recall for reading, opened when it is first asked for: the embedding model takes half a second to load."""

    def __init__(self, folder: StateFolder, ledger: Ledger) -> None:
        self._folder, self._ledger = folder, ledger
        self._lock = threading.Lock()
        self._open: Recall | None = None

    def get(self) -> Recall:
        with self._lock:
            if self._open is None:
                self._open = self._folder.open_recall(self._ledger, read_only=True)
            return self._open

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None


@dataclass(frozen=True)
class Desk:
    """`campaigns`: the campaign files that may be started by name.  A door makes one desk and lends a copy to each
    request: `desk.asked_by(asker)`.

    `decision` and `note` are set while an operation is carried out: the policy's leave, and a place to keep what was
    begun (`noted` is what an earlier try under the same idempotency key has kept there; `request` names the request
    under its key).  `stopping` is set when the
    door closes: what waits for another process then waits no longer.
    """

    folder: StateFolder
    ledger: Ledger
    settings: Settings
    gate: Gate
    asker: Asker
    histories: Histories
    recall: SharedRecall
    campaigns: Mapping[str, Path] = field(default_factory=dict)
    decision: Decision | None = None
    noted: str = ""
    note: Any = None
    request: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)

    def asked_by(self, asker: Asker) -> Desk:
        return replace(self, asker=asker)

    def context(self, **facts: Any) -> PolicyContext:
        """What the policy is told: who asks, and the facts of the case."""
        asker = self.asker
        told = {
            "actor": asker.actor,
            "roles": asker.roles,
            "tenant": asker.tenant,
            "capabilities": asker.capabilities,
            "route": asker.route,
            "autonomous": asker.autonomous,
            "approval_id": asker.approval_id,
            "safe_mode": self.settings.safe_mode,
        }
        return PolicyContext.model_validate({**told, **facts})

    @property
    def risk(self) -> float:
        """The risk score of the leave that this operation has."""
        return self.decision.risk if self.decision is not None else 0.0

    def keep(self, noted: str) -> None:
        """Keep what was begun, for a repetition after a crash."""
        if self.note is not None:
            self.note(noted)


def local_asker() -> Asker:
    """The person at this machine's command line."""
    who = local_context()
    return Asker(who.actor, who.roles, capabilities=frozenset(CAPABILITIES), route=who.route)


@contextmanager
def open_desk(
    settings: Settings,
    asker: Asker,
    *,
    campaigns: Mapping[str, Path] | None = None,
    ledger: Ledger | None = None,
    check: bool = False,
) -> Iterator[Desk]:
    """A desk over the state folder of `settings`; `ledger`, where it is open already, stays open."""
    folder = StateFolder.of(settings)
    own = ledger or folder.open_ledger(check=check)
    recall = SharedRecall(folder, own)
    try:
        gate = Gate.of(settings, own)
        yield Desk(folder, own, settings, gate, asker, Histories(own), recall, dict(campaigns or {}))
    finally:
        recall.close()
        if ledger is None:
            own.close()
