"""Random rulebooks and contexts, with the same few names in both, so that rules do fit."""

from __future__ import annotations

from hypothesis import strategies as st

from core.policy import CAPABILITIES, Action, PolicyContext, Rule, When
from service.policy.rulebook import Level, Rulebook, Tenant

TENANTS = ("default", "acme", "other")
ACTORS = ("ann", "bob", "")
ROLES = ("viewer", "owner", "agent")
ROUTES = ("cli", "mcp", "")
LEVELS = ("low", "medium", "high", "critical")

shares = st.integers(0, 20).map(lambda n: n / 20)


def some(names: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from([n for n in names if n] + ["a*"]), max_size=2).map(tuple)


whens = st.builds(
    When,
    tenants=some(TENANTS),
    actors=some(ACTORS),
    roles=st.lists(st.sampled_from(ROLES), max_size=2).map(tuple),
    routes=some(ROUTES),
)


rules = st.builds(
    Rule,
    name=st.just("r"),
    actions=st.lists(st.sampled_from([*Action, "*", "*"]), min_size=1, max_size=4).map(tuple),
    effect=st.sampled_from(("allow", "allow", "ask", "deny")),
    reason=st.just("because"),
    when=st.just(When()) | whens,
    max_risk=st.sampled_from((1.0, 1.0, 0.6, 0.3)),
    max_changes=st.sampled_from((None, None, 0, 10)),
    needs_verified=st.booleans(),
    min_isolation=st.sampled_from((None, None, 1, 2, 3)),
)


@st.composite
def rule_lists(draw: st.DrawFn) -> tuple[Rule, ...]:
    made = draw(st.lists(rules, max_size=4))
    return tuple(rule.model_copy(update={"name": f"r{number}"}) for number, rule in enumerate(made))


@st.composite
def rulebooks(draw: st.DrawFn, *, safe_mode: bool | None = None) -> Rulebook:
    allows = sorted(draw(st.lists(shares, min_size=5, max_size=5)))
    asks = [max(a, b) for a, b in zip(allows, sorted(draw(st.lists(shares, min_size=5, max_size=5))), strict=True)]
    tenants = {
        name: Tenant(
            enabled=draw(st.sampled_from((True, True, True, False))),
            autonomy_level=draw(st.sampled_from((None, 0, 4))),
            max_risk=draw(st.sampled_from((1.0, 0.5))),
            system_scope=draw(st.booleans()),
            actors=draw(st.sampled_from(((), ("ann",)))),
            rules=draw(rule_lists()),
        )
        for name in draw(st.sampled_from((("default",), TENANTS)))
    }
    return Rulebook(
        schema=1,
        safe_mode=draw(st.booleans()) if safe_mode is None else safe_mode,
        autonomy_level=draw(st.integers(0, 4)),
        levels=tuple(Level(name=f"l{n}", allow=a, ask=b) for n, (a, b) in enumerate(zip(allows, asks, strict=True))),
        roles={"viewer": (Action.READ,), "owner": ("*",), "agent": tuple(draw(st.lists(st.sampled_from(Action))))},
        default_roles=draw(st.sampled_from(((), ("viewer",), ("owner",)))),
        tenants=tenants,
        rules=draw(rule_lists()),
    )


contexts = st.builds(
    PolicyContext,
    safe_mode=st.booleans(),
    autonomy_level=st.none() | st.integers(0, 4),
    change_count=st.integers(0, 200) | st.just(10**400),
    risk_level=st.sampled_from(("unknown", *LEVELS)),
    tenant=st.sampled_from((*TENANTS, "nobody's")),
    target_tenant=st.sampled_from(("", "", *TENANTS)),
    scope=st.sampled_from(("tenant", "tenant", "system")),
    actor=st.sampled_from(ACTORS),
    autonomous=st.booleans(),
    roles=st.lists(st.sampled_from((*ROLES, "owner", "owner", "unknown")), max_size=2).map(tuple),
    capabilities=st.sampled_from((frozenset(), frozenset(CAPABILITIES), frozenset(CAPABILITIES))),
    route=st.sampled_from(ROUTES),
    dry_run=st.booleans(),
    verified=st.booleans(),
    isolation_level=st.none() | st.integers(1, 3),
    approval_id=st.sampled_from(("", "approval-1")),
)
actions = st.sampled_from(Action)
