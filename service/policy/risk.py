"""The risk of an action in its context, in 0 … 1, with the parts that it is made of.

risk = 1 − Π (1 − part): each part takes its share of the safety that the others leave (a noisy-or; Pearl 1988,
Probabilistic Reasoning in Intelligent Systems, 4.3.2).  No part can lower it, and no number of parts passes 1.
"""

from __future__ import annotations

from core.policy import ACTION_FACTS, Action, PolicyContext
from service.policy.rulebook import Rulebook

__all__ = ["risk_of"]

DIGITS = 6
MANY = 10**9
"""As many changes as count; a longer number may be none that a float can hold."""


def risk_of(action: Action, context: PolicyContext, book: Rulebook) -> tuple[float, dict[str, float]]:
    """(risk, its parts by name, without those that are 0).  Looking has no effect, so its risk is 0."""
    if action is Action.READ:
        return 0.0, {}
    facts, weights = ACTION_FACTS[action], book.risk
    base: float = getattr(book.base, action.value)
    told = {
        "action": min(base, weights.dry_run) if context.dry_run else base,
        "changes": weights.changes * (1 - 2.0 ** -min(min(context.change_count, MANY) / weights.changes_half, 1000.0)),
        "risk level": getattr(weights.level, context.risk_level),
        "system-wide": weights.system_scope if context.scope == "system" else 0.0,
        "unverified": weights.unverified if facts.changes_code and not context.verified else 0.0,
        "isolation": _isolation(context, book) if facts.runs_code else 0.0,
        "actor unknown": 0.0 if context.actor else weights.actor_unknown,
        "autonomous": weights.autonomous if context.autonomous else 0.0,
    }
    parts = {name: round(part, DIGITS) for name, part in told.items() if part > 0}
    safety = 1.0
    for part in parts.values():
        safety *= 1 - part
    return min(1.0, max(0.0, round(1 - safety, DIGITS))), parts


def _isolation(context: PolicyContext, book: Rulebook) -> float:
    match context.isolation_level:
        case 3:
            return 0.0
        case 2:
            return book.risk.isolation_middle
        case _:
            return book.risk.isolation_weak
