"""Approvals whose edited answers are checked against the campaign that they belong to: the same at every door."""

from __future__ import annotations

from core.approvals import Answer, Approval
from core.errors import ConfigError
from memory.approvals import Approvals
from memory.ledger import Ledger
from search.constraints import Region, violations
from search.rules import broken, parse_rules

__all__ = ["open_approvals"]


def open_approvals(ledger: Ledger) -> Approvals:
    """The questions of a ledger, with edited answers."""
    return Approvals(ledger, lambda asked, answer: _checked(ledger, asked, answer))


def _checked(ledger: Ledger, asked: Approval, answer: Answer) -> Answer:
    """The answer with a configuration that can run: in the space, keeping the user's rules and regions.

    Regions that were learned do not bind: a person may know better.
    """
    from graph.loading import space_of  # brings in every role; only an edit needs it

    campaign = ledger.campaign(asked.campaign_id).definition
    where = f"the edited configuration of {asked.id}"
    space = space_of(campaign)
    try:
        config = space.validate_config(answer.config)
    except ConfigError as error:
        raise ConfigError(error.what, where=where, hint=error.hint) from error
    except (ArithmeticError, TypeError, ValueError, RecursionError) as error:  # no number of this world
        raise ConfigError(f"a value cannot be read: {error}", where=where) from error
    against = [*broken(config, parse_rules(campaign.rules, space))]
    if against:
        raise ConfigError(against[0].reason, where=where, hint="the campaign's `rules` say so")
    regions = violations(config, [Region.model_validate(region) for region in campaign.forbidden])
    if regions:
        raise ConfigError(
            regions[0].reason or f"{regions[0]} is forbidden", where=where, hint="the campaign forbids it"
        )
    return answer.model_copy(update={"config": config})
