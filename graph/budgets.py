"""A campaign with other budgets: what may change after it has begun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from core.campaign import Campaign
from core.errors import ConfigError, UsageError, nearest
from core.validation import config_error

__all__ = ["with_budgets"]


def with_budgets(campaign: Campaign, overrides: Mapping[str, Any], where: str = "command line") -> Campaign:
    """The stored campaign with other values by key, such as `budget.cycles`.

    Raises UsageError for what decides its identity, ConfigError for a key that is not there or a value that it does
    not take.
    """
    data = campaign.model_dump(mode="json")
    for key, value in overrides.items():
        *path, last = key.split(".")
        at: Any = data
        for part in path:
            if not isinstance(at, dict) or not isinstance(at.get(part), dict):
                known = [name for name, one in at.items() if isinstance(one, dict)] if isinstance(at, dict) else []
                raise ConfigError(f"unknown key {key!r}", where=where, hint=nearest(part, known))
            at = at[part]
        at[last] = value
    try:
        changed = Campaign.model_validate(data)
    except ValidationError as error:
        raise config_error(error, Campaign, where) from error
    if changed.fingerprint() != campaign.fingerprint():
        raise UsageError(
            "only budgets and approvals can change on resume",
            where=", ".join(overrides),
            hint="start a new campaign: `python run_graph.py run CAMPAIGN.yaml` with these settings",
        )
    return changed
