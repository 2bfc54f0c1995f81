"""Which campaign an exported study or experiment is of: two state folders may each have a `tiny-1`."""

from __future__ import annotations

from core.errors import ConfigError
from core.ids import content_hash
from memory.ledger import StoredCampaign

__all__ = ["origin_of", "taken"]


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
