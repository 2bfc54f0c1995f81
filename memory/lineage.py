"""Which campaign was forked from which."""

from __future__ import annotations

from core.events import ForkedFrom
from memory.ledger import Ledger

__all__ = ["family", "forked_from", "forks_of", "root_of"]


def forked_from(ledger: Ledger, campaign_id: str) -> ForkedFrom | None:
    """Where a campaign comes from; None for one that was begun from nothing."""
    told = ledger.events(campaign_id, types=(ForkedFrom,))
    return next((event for event in told if isinstance(event, ForkedFrom)), None)


def root_of(ledger: Ledger, campaign_id: str) -> str:
    """The campaign at the beginning of its line: itself where it is no fork."""
    origin = forked_from(ledger, campaign_id)
    return campaign_id if origin is None else origin.root


def family(ledger: Ledger, root: str) -> list[ForkedFrom]:
    """Every fork that goes back to `root`, by however many steps, oldest first; `campaign_id` is the fork's."""
    return [event for event in ledger.events(subject=root, types=(ForkedFrom,)) if isinstance(event, ForkedFrom)]


def forks_of(ledger: Ledger, campaign_id: str) -> list[ForkedFrom]:
    """The forks of a campaign itself, oldest first."""
    return [event for event in family(ledger, root_of(ledger, campaign_id)) if event.parent == campaign_id]
