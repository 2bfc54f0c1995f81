"""Whether something goes to another machine, and leave for it: the policy decides, the audit keeps it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from core.ids import Clock, system_clock
from core.policy import Action
from memory.audit import Audit
from memory.ledger import Ledger
from service.elsewhere import is_loopback
from service.policy import Gate, Policy, local_context

__all__ = ["is_here", "leave_to_send"]

LOCAL_SCHEMES = ("", "file", "sqlite")


def is_here(url: str) -> bool:
    """Whether a path or URL is of this machine: a file, or a loopback address.  Other names count as elsewhere."""
    parts = urlsplit(url)
    if "://" not in url or parts.scheme.split("+")[0] in LOCAL_SCHEMES:
        return True
    try:
        return is_loopback((parts.hostname or "").rstrip("."))
    except ValueError:  # brackets around what is no address
        return False


def leave_to_send(
    ledger: Ledger,
    what: str,
    host: str,
    *,
    policy_file: Path | None = None,
    safe_mode: bool = False,
    clock: Clock = system_clock,
) -> None:
    """Ask the policy once whether `what` may go to `host`.  Raises DeniedError (safe mode too), ApprovalNeededError."""
    gate = Gate(Policy.load(policy_file), Audit(ledger.database), safe_mode=safe_mode, clock=clock)
    gate.require(Action.REMOTE_CALL, local_context(risk_level="low", details={"what": what, "host": host}))
