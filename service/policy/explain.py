"""Why a decision is what it is, and what would change it: each change is tried on the policy, none is guessed."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.policy import ACTION_FACTS, Action, Answer, Decision, PolicyContext
from service.policy.judging import autonomy_of
from service.policy.policy import Policy

__all__ = ["Change", "Explanation", "explain"]

STRICTNESS: dict[Answer, int] = {"allowed": 0, "ask": 1, "denied": 2}
MOST_TOGETHER = 3
"""Changes that are tried together, when fewer do not help."""
MOST_TOLD = 12

Case = tuple[PolicyContext, Policy]


@dataclass(frozen=True)
class Change:
    """What could be otherwise, and what the answer would then be."""

    what: tuple[str, ...]
    answer: Answer
    risk: float


@dataclass(frozen=True)
class Explanation:
    """A decision, the thresholds that it was measured with, and the smallest changes that make it milder."""

    decision: Decision
    source: str
    autonomy_level: int | None
    allow: float | None
    ask: float | None
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class _Alternative:
    what: str
    apply: Callable[[Case], Case]


def explain(policy: Policy, action: Action, context: PolicyContext) -> Explanation:
    """The decision and what would change it: single changes, or pairs or triples when no fewer change anything."""
    decision = policy.decide(action, context)
    tenant = policy.book.tenants.get(context.tenant)
    level = None if tenant is None else autonomy_of(context, policy.book, tenant)
    at = None if level is None else policy.book.levels[level]
    changes = tuple(_changes(policy, action, context, decision))
    allow, ask = (None, None) if at is None else (at.allow, at.ask)
    return Explanation(decision, policy.source, level, allow, ask, changes)


def _changes(policy: Policy, action: Action, context: PolicyContext, decision: Decision) -> Iterator[Change]:
    alternatives = list(_alternatives(policy, action, context))
    for size in range(1, MOST_TOGETHER + 1):
        found = []
        for chosen in itertools.combinations(alternatives, size):
            otherwise, other = functools.reduce(lambda case, one: one.apply(case), chosen, (context, policy))
            then = other.decide(action, otherwise)
            if STRICTNESS[then.answer] < STRICTNESS[decision.answer]:
                found.append(Change(tuple(one.what for one in chosen), then.answer, then.risk))
        if found:
            yield from sorted(found, key=lambda change: STRICTNESS[change.answer])[:MOST_TOLD]
            return


def _alternatives(policy: Policy, action: Action, context: PolicyContext) -> Iterator[_Alternative]:
    """Everything that could be otherwise, from what is easy to what is not."""
    book, facts = policy.book, ACTION_FACTS[action]
    if policy.fault:
        yield _Alternative("a rules file that can be read", lambda case: (case[0], Policy(book, policy.source)))
    if context.safe_mode:
        yield _asked("safe mode off", safe_mode=False)
    if book.safe_mode:
        yield _ruled("`safe_mode: false` in the rules file", safe_mode=False)
    if (name := facts.capability) and name not in context.capabilities:
        yield _asked(f"{name}=1 in the environment", capabilities=context.capabilities | {name})
    if facts.changes_code and not context.verified:
        yield _asked("evidence that was verified", verified=True)
    if facts.runs_code and context.isolation_level != 3:
        yield _asked("a sandbox of level 3", isolation_level=3)
    if context.risk_level != "low":
        yield _asked("a risk level of low", risk_level="low")
    if context.change_count > 1:
        yield _asked("a single change", change_count=1)
    if context.scope == "system":
        yield _asked("only things of its own tenant", scope="tenant")
    if context.target_tenant not in ("", context.tenant):
        yield _asked("things of its own tenant", target_tenant="")
    if not context.dry_run:
        yield _asked("a dry run", dry_run=True)
    if context.autonomous:
        yield _asked("a person who asks for it", autonomous=False)
    if not context.actor:
        yield _asked("an actor with a name", actor="somebody")
    for role, grants in book.roles.items():
        if role not in context.roles and (action in grants or "*" in grants):
            yield _asked(f"the role {role}", roles=(*context.roles, role))
    if not context.approval_id:
        yield _asked("a person who says yes", approval_id="approval")
    if context.autonomy_level is not None and context.autonomy_level < book.autonomy_level:
        yield _asked(f"autonomy level {book.autonomy_level}, as the rules file gives", autonomy_level=None)
    for level in range(book.autonomy_level + 1, len(book.levels)):
        name = f"`autonomy_level: {level}` ({book.levels[level].name}) in the rules file"
        yield _ruled(name, autonomy_level=level)


def _asked(what: str, **values: object) -> _Alternative:
    """Another context."""
    return _Alternative(what, lambda case: (case[0].model_copy(update=values), case[1]))


def _ruled(what: str, **values: object) -> _Alternative:
    """Another rules file."""

    def apply(case: Case) -> Case:
        context, policy = case
        return context, Policy(policy.book.model_copy(update=values), policy.source, policy.fault)

    return _Alternative(what, apply)
