"""What an export to another store came to, and which campaign it is of: two folders may each have a `tiny-1`."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import ConfigError
from core.ids import content_hash
from memory.ledger import StoredCampaign

__all__ = ["Exported", "origin_of", "taken"]


@dataclass(frozen=True)
class Exported:
    """Where it is, under which name, how many trials (or runs) were added now, and how many are there."""

    where: str
    name: str
    added: int
    total: int


def origin_of(stored: StoredCampaign) -> str:
    """The same for the same campaign of the same ledger, whatever budget it has now."""
    return content_hash(stored.id, stored.fingerprint, stored.created_at)[:16]


def taken(what: str, name: str, where: str) -> ConfigError:
    """The error when the name is another campaign's."""
    return ConfigError(
        f"there is a {what} {name!r} already, and it is not of this campaign",
        where=where,
        hint="export to another place",
    )
