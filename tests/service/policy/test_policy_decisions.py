"""Decisions: no where nothing says yes; safe mode above all; more risk is never milder; tenants are kept apart."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from policy_strategies import LEVELS, actions, contexts, rulebooks

from core.policy import ACTION_FACTS, CAPABILITIES, Action, PolicyContext, Rule
from service.policy import Policy, local_context, shipped_rules
from service.policy.judging import judge
from service.policy.rulebook import Level, Rulebook, Tenant

STRICTNESS = {"allowed": 0, "ask": 1, "denied": 2}
books = rulebooks()


def test_every_action_has_facts_and_a_base_risk() -> None:
    assert set(ACTION_FACTS) == set(Action)
    assert set(type(shipped_rules().base).model_fields) - {"version"} == set(Action)
    for facts in ACTION_FACTS.values():
        assert facts.capability in ("", *CAPABILITIES)


# ------------------------------------------------------------------------------------------------------ properties


@settings(max_examples=150, deadline=None)
@given(books, actions, contexts)
def test_what_no_rule_names_is_denied(book: Rulebook, action: Action, context: PolicyContext) -> None:
    def named(patterns: tuple[str, ...], *names: str) -> bool:
        exact = {p for p in patterns if not p.endswith("*")}
        return not patterns or any(n in exact or (n[:1] == "a" and "a*" in patterns) for n in names)

    tenant = book.tenants.get(context.tenant)
    fitting = [
        rule
        for rule in (*(tenant.rules if tenant else ()), *book.rules)
        if set(rule.actions) & {action, "*"}
        and named(rule.when.tenants, context.tenant)
        and named(rule.when.actors, context.actor)
        and named(rule.when.roles, *(context.roles or book.default_roles))
        and named(rule.when.routes, context.route)
    ]
    decision = judge(action, context, book)
    event(f"{decision.answer}, {'some fit' if fitting else 'none fits'}")
    if not fitting or fitting[0].effect == "deny":
        assert decision.answer == "denied"
    if decision.answer != "denied":
        assert decision.rule == fitting[0].name


def open_book(**rest: object) -> Rulebook:
    """Everybody may do everything: what is still denied is denied by the engine alone."""
    levels = tuple(Level(name=str(number), allow=1.0, ask=1.0) for number in range(5))
    everything = Rule(name="all", actions=("*",), effect="allow", reason="a test")
    roles = {"owner": ("*",)}
    return Rulebook(schema=1, levels=levels, roles=roles, default_roles=("owner",), rules=(everything,), **rest)


@given(contexts)
def test_where_everything_is_allowed_only_what_the_engine_itself_forbids_is_denied(context: PolicyContext) -> None:
    never = Rule(name="never", actions=("*",), effect="deny", reason="a test")
    tenants = {"default": Tenant(system_scope=True), "acme": Tenant(), "other": Tenant(rules=(never,))}
    context = context.model_copy(update={"roles": ("owner",), "capabilities": frozenset(CAPABILITIES)})
    for safe in (False, True):
        for action, facts in ACTION_FACTS.items():
            found = judge(action, context, open_book(tenants=tenants, safe_mode=safe))
            foreign = context.target_tenant not in ("", context.tenant)
            if (safe or context.safe_mode) and not context.dry_run and (facts.leaves_machine or facts.deploys):
                expected = "safe-mode"
            elif context.tenant not in tenants:
                expected = "tenant-unknown"
            elif foreign or (context.scope == "system" and context.tenant != "default"):
                expected = "tenant-isolation"
            elif action is Action.APPROVE and context.autonomous:
                expected = "person-approves"
            else:
                expected = "never" if context.tenant == "other" else "all"
            assert found.rule == expected
            asks = context.scope == "system" and action is not Action.READ and not context.approval_id
            assert found.answer == ("denied" if expected != "all" else "ask" if asks else "allowed")


@settings(max_examples=150, deadline=None)
@given(books, actions, contexts, st.sampled_from(["context", "rules"]))
def test_in_safe_mode_nothing_leaves_and_nothing_is_deployed(
    book: Rulebook, action: Action, context: PolicyContext, where: str
) -> None:
    if where == "context":
        context = context.model_copy(update={"safe_mode": True})
    else:
        book = book.model_copy(update={"safe_mode": True})
    facts = ACTION_FACTS[action]
    decision = judge(action, context, book)
    if (facts.leaves_machine or facts.deploys) and not context.dry_run:
        assert (decision.answer, decision.rule) == ("denied", "safe-mode")
    else:
        assert decision.rule != "safe-mode"


def riskier(context: PolicyContext) -> list[PolicyContext]:
    """The context with one thing worse, each."""
    worse: list[dict[str, object]] = [
        {"change_count": context.change_count + 1},
        {"change_count": context.change_count * 3 + 7},
        {"scope": "system"},
        {"verified": False},
        {"autonomous": True},
        {"isolation_level": 2 if context.isolation_level == 3 else None},
        {"approval_id": ""},
        {"safe_mode": True},
        {"capabilities": frozenset()},
        {"autonomy_level": 0},
        {"dry_run": False},
    ]
    if context.risk_level in LEVELS:
        worse += [{"risk_level": level} for level in LEVELS[LEVELS.index(context.risk_level) :]]
    if context.risk_level == "low":
        worse.append({"risk_level": "unknown"})
    return [context.model_copy(update=one) for one in worse]


@settings(max_examples=150, deadline=None)
@given(books, actions, contexts)
def test_more_risk_is_never_answered_more_mildly(book: Rulebook, action: Action, context: PolicyContext) -> None:
    decision = judge(action, context, book)
    event(decision.answer)
    for other in riskier(context):
        found = judge(action, other, book)
        assert found.risk >= decision.risk
        assert STRICTNESS[found.answer] >= STRICTNESS[decision.answer], (other, found)


@settings(max_examples=150, deadline=None)
@given(books, actions, contexts)
def test_a_tenant_never_touches_what_is_another_ones(book: Rulebook, action: Action, context: PolicyContext) -> None:
    decision = judge(action, context, book)
    tenant = book.tenants.get(context.tenant)
    foreign = context.target_tenant not in ("", context.tenant)
    if tenant is None or not tenant.enabled or foreign or (context.scope == "system" and not tenant.system_scope):
        assert decision.answer == "denied"
    elif context.scope == "system" and action is not Action.READ and not context.approval_id:
        assert decision.answer != "allowed"
    if tenant and tenant.actors and context.actor not in tenant.actors:
        assert decision.answer == "denied"


@settings(max_examples=80, deadline=None)
@given(books, actions, contexts)
def test_what_is_written_for_other_tenants_changes_nothing_for_this_one(
    book: Rulebook, action: Action, context: PolicyContext
) -> None:
    if context.tenant not in book.tenants:
        return
    alone = book.model_copy(update={"tenants": {context.tenant: book.tenants[context.tenant]}})
    assert judge(action, context, alone) == judge(action, context, book)


@settings(max_examples=80, deadline=None)
@given(books, actions, contexts)
def test_the_risk_is_what_its_parts_make(book: Rulebook, action: Action, context: PolicyContext) -> None:
    decision = judge(action, context, book)
    safety = 1.0
    for part in decision.parts.values():
        assert 0 < part <= 1
        safety *= 1 - part
    assert decision.risk == pytest.approx(1 - safety, abs=1e-6)
    assert judge(action, context, book) == decision


@settings(max_examples=80, deadline=None)
@given(actions, contexts)
def test_a_broken_file_denies_all_but_looking(action: Action, context: PolicyContext) -> None:
    broken = Policy(shipped_rules(), "policy.yaml", "line 3 is wrong")
    decision = broken.decide(action, context)
    if action is Action.READ:
        assert decision == Policy.load().decide(action, context)
    else:
        assert (decision.answer, decision.rule) == ("denied", "broken-file")
        assert "line 3 is wrong" in decision.reason


# --------------------------------------------------------------------------------------------------- rules shipped


def answer(action: Action, **facts: object) -> str:
    return Policy.load().decide(action, local_context(**facts)).answer


def test_a_person_at_the_machine_can_do_the_usual_without_being_asked() -> None:
    for action in (Action.READ, Action.GUIDE, Action.APPROVE, Action.JOB_CANCEL, Action.CAMPAIGN_START):
        assert answer(action) == "allowed", action
    assert answer(Action.CODE_APPLY, verified=True, change_count=3, risk_level="low") == "allowed"


def test_what_leaves_the_machine_or_goes_live_is_asked_first() -> None:
    assert answer(Action.PR_PROPOSE, verified=True) == "ask"
    assert answer(Action.DEPLOY, verified=True) == "ask"
    assert answer(Action.DEPLOY) == "denied"
    assert answer(Action.MEMORY_DELETE) == "ask"
    assert answer(Action.PR_PROPOSE, verified=True, approval_id="approval-7") == "allowed"
    assert answer(Action.PR_PROPOSE, safe_mode=True, approval_id="approval-7") == "denied"
    assert answer(Action.PR_PROPOSE, safe_mode=True, dry_run=True, verified=True) == "allowed"


def test_somebody_unknown_may_only_look() -> None:
    everybody = {action: Policy.load().decide(action, PolicyContext()).answer for action in Action}
    assert [action for action, given_ in everybody.items() if given_ != "denied"] == [Action.READ]


@pytest.mark.parametrize(
    ("action", "name"),
    [
        (Action.TRAIN_START, "ENABLE_TRAINING"),
        (Action.PR_PROPOSE, "ENABLE_AUTONOMY"),
        (Action.DEPLOY, "ENABLE_AUTONOMY"),
        (Action.IMPROVEMENT_START, "ENABLE_AUTONOMY"),
    ],
)
def test_a_missing_capability_is_named(action: Action, name: str) -> None:
    others = frozenset(CAPABILITIES) - {name}
    found = Policy.load().decide(action, local_context(capabilities=others, verified=True))
    assert (found.answer, found.rule) == ("denied", "capability")
    assert name in found.reason


def test_the_program_never_answers_its_own_questions() -> None:
    found = Policy.load().decide(Action.APPROVE, local_context(autonomous=True))
    assert (found.answer, found.rule) == ("denied", "person-approves")


def test_at_level_0_the_program_only_looks_and_a_person_still_steers() -> None:
    for action in Action:
        alone = answer(action, autonomy_level=0, autonomous=True, verified=True)
        assert alone == ("allowed" if action is Action.READ else "denied"), action
    for action in (Action.GUIDE, Action.APPROVE, Action.JOB_CANCEL, Action.ROLLBACK):
        assert answer(action, autonomy_level=0) == "allowed"
