"""A campaign file → a campaign that can run: YAML, overrides, space, roles and command are all checked here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agents.personas import check_personas
from core.campaign import Campaign
from core.errors import ConfigError, nearest
from core.validation import config_error
from graph.campaign_file import campaign_file, check_command, read_campaign
from graph.code_campaign import check_code
from graph.council import seat_council
from graph.live_campaign import check_live
from graph.seat_models import check_models
from search.constraints import Region
from search.rules import broken, parse_rules
from search.space import Space

__all__ = ["check_campaign", "load_campaign", "space_of"]

RESERVED = ("seed",)


def load_campaign(
    path: Path, overrides: Mapping[str, Any] | None = None, *, defaults: Mapping[str, Any] | None = None
) -> Campaign:
    """The campaign in `path` (a file, or a folder with a `campaign.yaml`), with `overrides` by dotted key.

    `defaults` stand where the file has no such key.

    Raises ConfigError for whatever would fail later: unknown keys and names, a bad space, a missing script.
    """
    campaign = read_campaign(path, overrides, defaults)
    check_campaign(campaign, str(campaign_file(path)))
    return campaign


def check_campaign(campaign: Campaign, where: str) -> None:
    """Space, baseline, roles and command fit together.  Raises ConfigError."""
    space = space_of(campaign, where)
    for name in RESERVED:
        if name in space:
            raise ConfigError(
                f"a parameter cannot be called {name!r}",
                where=f"{where}, space",
                hint="it is the key of the repeat's seed",
            )
    rules = parse_rules(campaign.rules, space)
    for rule in broken(campaign.baseline, rules):
        raise ConfigError(
            f"baseline: {rule.reason}", where=f"{where}, baseline", hint="change the baseline or the rule"
        )
    try:
        space.validate_config(campaign.baseline)
    except ConfigError as error:
        raise ConfigError(f"baseline: {error.what}", where=f"{where}, baseline", hint=error.hint) from error
    for number, region in enumerate(campaign.forbidden, 1):
        _check_region(region, space, f"{where}, forbidden {number}")
    seat_council(campaign)
    if campaign.kind == "code":
        check_code(campaign, where)
    if campaign.kind == "live":
        check_live(campaign, where)
    check_personas(campaign.council, Path(campaign.here))
    check_models(campaign, where)
    check_command(campaign, where)


def _check_region(data: Mapping[str, Any], space: Space, where: str) -> None:
    try:
        region = Region.model_validate(data)
    except ValidationError as error:
        raise config_error(error, Region, where) from error
    for name in region.conditions:
        if name not in space:
            raise ConfigError(f"there is no parameter {name!r}", where=where, hint=nearest(name, space.names))


def space_of(campaign: Campaign, where: str = "") -> Space:
    """The search space of a campaign.  Raises ConfigError."""
    try:
        return Space.model_validate(campaign.space)
    except ValidationError as error:
        raise config_error(error, Space, f"{where}, space".lstrip(", ")) from error
