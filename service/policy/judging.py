"""One decision, step by step.  The first step that denies ends it; only what no step denies is allowed.

1 safe mode · 2 capability · 3 tenant · 4 a person for approvals · 5 role · 6 the first rule that fits (none: denied) ·
7 the limits of that rule and of the tenant · 8 the autonomy level · 9 things of all tenants: a person is asked.

Whether a rule fits depends on the action and on who asks, never on how risky it is.  Every step from 7 on only
tightens, and more so with more risk: more risk never makes an answer milder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.policy import ACTION_FACTS, Action, Answer, Decision, PolicyContext, Rule
from service.policy.risk import risk_of
from service.policy.rulebook import Rulebook, Tenant

__all__ = ["autonomy_of", "fits", "judge", "roles_of"]

Denial = tuple[str, str]
"""(rule, reason)"""


def judge(action: Action, context: PolicyContext, book: Rulebook, *, at: float = 0.0) -> Decision:
    """The decision of `book`; the same for the same input.  Takes some microseconds, no I/O."""
    risk, parts = risk_of(action, context, book)

    def answered(answer: Answer, rule: str, reason: str) -> Decision:
        return Decision(action=action, answer=answer, risk=risk, parts=parts, rule=rule, reason=reason, at=at)

    tenant = book.tenants.get(context.tenant)
    denial = (
        _safe_mode(action, context, book, tenant)
        or _capability(action, context)
        or _tenant(context, tenant)
        or _person(action, context)
        or _role(action, context, book)
    )
    if denial:
        return answered("denied", *denial)
    assert tenant is not None
    roles = roles_of(context, book)
    rule = next((rule for rule in (*tenant.rules, *book.rules) if fits(rule, action, context, roles)), None)
    if rule is None:
        who = context.actor or "somebody unknown"
        return answered("denied", "default-deny", f"no rule lets {who} {ACTION_FACTS[action].does}")
    if rule.effect == "deny":
        return answered("denied", rule.name, rule.reason)
    if limit := _limit(context, risk, rule, tenant):
        return answered("denied", *limit)
    level = autonomy_of(context, book, tenant)
    limits = book.levels[level]
    at_level = f"autonomy level {level} ({limits.name})"
    held_back = context.autonomous or not ACTION_FACTS[action].steers
    if held_back and risk > limits.ask:
        return answered("denied", rule.name, f"risk {risk:.2f} is above {limits.ask:.2f}, the most at {at_level}")
    question = ""
    if rule.effect == "ask":
        question = rule.reason
    elif context.scope == "system" and action is not Action.READ:
        question = "it touches things of all tenants"
    elif held_back and risk > limits.allow:
        question = f"risk {risk:.2f} is above {limits.allow:.2f}, the most without asking at {at_level}"
    if not question:
        return answered("allowed", rule.name, rule.reason)
    if context.approval_id:
        return answered("allowed", rule.name, f"{question}; a person said yes ({context.approval_id})")
    return answered("ask", rule.name, question)


def autonomy_of(context: PolicyContext, book: Rulebook, tenant: Tenant) -> int:
    """The level in force: the lowest of what was asked for, what the file gives, and what the tenant gets."""
    given = (book.autonomy_level, tenant.autonomy_level, context.autonomy_level)
    return min(level for level in given if level is not None)


def roles_of(context: PolicyContext, book: Rulebook) -> tuple[str, ...]:
    """The roles that were brought, or those of whoever brings none."""
    return context.roles or book.default_roles


def fits(rule: Rule, action: Action, context: PolicyContext, roles: Sequence[str]) -> bool:
    """Whether the rule is for this action and for who asks, with these roles."""
    when = rule.when
    return (
        (action in rule.actions or "*" in rule.actions)
        and _named(when.tenants, (context.tenant,))
        and _named(when.actors, (context.actor,))
        and _named(when.roles, roles)
        and _named(when.routes, (context.route,))
    )


def _named(patterns: Sequence[str], names: Iterable[str]) -> bool:
    """Whether one of the names is meant; without patterns everybody is.  Nobody's name is empty."""
    if not patterns:
        return True
    return any(name and (name.startswith(p[:-1]) if p.endswith("*") else name == p) for name in names for p in patterns)


def _safe_mode(action: Action, context: PolicyContext, book: Rulebook, tenant: Tenant | None) -> Denial | None:
    facts = ACTION_FACTS[action]
    if context.dry_run or not (facts.leaves_machine or facts.deploys):
        return None
    if context.safe_mode:
        by = "it was asked for"
    elif book.safe_mode:
        by = "the rules file sets it"
    elif tenant is not None and tenant.safe_mode:
        by = "the rules file sets it for this tenant"
    else:
        return None
    what = "nothing leaves the machine" if facts.leaves_machine else "nothing is deployed"
    return "safe-mode", f"in safe mode {what}; {by}"


def _capability(action: Action, context: PolicyContext) -> Denial | None:
    needed = ACTION_FACTS[action].capability
    if not needed or needed in context.capabilities:
        return None
    return "capability", f"{needed} is missing: it is not set to 1 in the environment of this process"


def _tenant(context: PolicyContext, tenant: Tenant | None) -> Denial | None:
    if tenant is None:
        return "tenant-unknown", f"there is no tenant {context.tenant!r} in the rules file"
    if not tenant.enabled:
        return "tenant-disabled", f"tenant {context.tenant!r} is switched off in the rules file"
    if tenant.actors and context.actor not in tenant.actors:
        return "tenant-isolation", f"{context.actor or 'somebody unknown'} does not act for tenant {context.tenant!r}"
    if context.target_tenant and context.target_tenant != context.tenant:
        return "tenant-isolation", f"tenant {context.tenant!r} may not touch things of tenant {context.target_tenant!r}"
    if context.scope == "system" and not tenant.system_scope:
        return "tenant-isolation", f"tenant {context.tenant!r} may not touch things of all tenants"
    return None


def _person(action: Action, context: PolicyContext) -> Denial | None:
    if action is Action.APPROVE and context.autonomous:
        return "person-approves", "approvals are for persons: the program does not answer its own questions"
    return None


def _role(action: Action, context: PolicyContext, book: Rulebook) -> Denial | None:
    def permits(role: str) -> bool:
        grants = book.roles.get(role, ())
        return action in grants or "*" in grants

    roles = roles_of(context, book)
    if any(map(permits, roles)):
        return None
    having = ", ".join(sorted(filter(permits, book.roles))) or "no role"
    return "role", f"{action.value} is not permitted to {', '.join(roles) or 'nobody'}, but to {having}"


def _limit(context: PolicyContext, risk: float, rule: Rule, tenant: Tenant) -> Denial | None:
    """The first limit of the rule, or of the tenant, that is passed."""
    for owner, name, max_risk, max_changes in (
        (f"rule {rule.name}", rule.name, rule.max_risk, rule.max_changes),
        (f"tenant {context.tenant}", "tenant-limit", tenant.max_risk, tenant.max_changes),
    ):
        if risk > max_risk:
            return name, f"risk {risk:.2f} is above {max_risk:.2f}, the limit of {owner}"
        if max_changes is not None and context.change_count > max_changes:
            return name, f"{context.change_count} changes are more than {max_changes}, the limit of {owner}"
    if rule.needs_verified and not context.verified:
        return rule.name, f"rule {rule.name} wants evidence: no test or measurement speaks for it"
    if rule.min_isolation is not None and (context.isolation_level or 0) < rule.min_isolation:
        found = context.isolation_level or "none"
        return rule.name, f"rule {rule.name} wants isolation of level {rule.min_isolation}; it is {found}"
    return None
