"""Rules files: what is wrong is named with its line, and a policy of a wrong file denies."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ConfigError, NotFoundError
from core.policy import Action, PolicyContext
from service.policy import Policy, local_context, read_rules, shipped_rules
from service.policy.policy import SHIPPED

GOOD = """schema: 1
levels:
  - {name: a, allow: 0, ask: 0}
  - {name: b, allow: 0.1, ask: 0.5}
  - {name: c, allow: 0.3, ask: 0.6}
  - {name: d, allow: 0.5, ask: 0.7}
  - {name: e, allow: 1, ask: 1}
roles:
  owner: ["*"]
rules:
  - name: all
    actions: ["*"]
    effect: allow
    reason: a test
"""

BROKEN = {
    "empty": ("", "the file is empty", None),
    "only a comment": ("# nothing\n", "the file is empty", None),
    "a list": ("- 1\n", "is a mapping", 1),
    "a text": ("allow everything", "is a mapping", 1),
    "no YAML": (GOOD + "  x: [\n", "not YAML", None),
    "a tab": (GOOD + "\tx: 1\n", "not YAML", 15),
    "two documents": (GOOD + "---\nschema: 1\n", "not YAML", 15),
    "alias": (GOOD.replace("owner: [", "owner: &a [") + "default_roles: *a\n", "aliases", 15),
    "bomb": ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "aliases", 2),
    "merge key": (GOOD.replace("    effect: allow", "    <<: {effect: allow}"), "a key is a word", 13),
    "tag": (GOOD.replace("reason: a test", "reason: !!python/name:os.system x"), "not read here", 14),
    "date": (GOOD.replace("reason: a test", "reason: 2026-01-01"), "not read here", 14),
    "key twice": (GOOD + "schema: 1\n", "stands twice", 15),
    "rule key twice": (GOOD + "    effect: deny\n", "'effect' stands twice", 15),
    "key of lists": (GOOD + "? [a]\n: 1\n", "a key is a word", 15),
    "unknown key": (GOOD + "rule: []\n", "unknown key 'rule'", 15),
    "unknown key of a rule": (GOOD + "    max_chnges: 3\n", "unknown key 'rules.0.max_chnges'", 15),
    "unknown condition": (GOOD + "    when: {risk_level: [high]}\n", "unknown key 'rules.0.when.risk_level'", 15),
    "unknown action": (GOOD.replace('actions: ["*"]', "actions: [READ, LAUNCH]"), "rules.0.actions.1", 12),
    "action in small letters": (GOOD.replace('actions: ["*"]', "actions: [read]"), "rules.0.actions.0", 12),
    "no actions": (GOOD.replace('actions: ["*"]', "actions: []"), "rules.0.actions", 12),
    "no rules": (GOOD[: GOOD.index("rules:")], "rules is missing", None),
    "no reason": (GOOD.replace("    reason: a test\n", ""), "rules.0.reason is missing", 11),
    "no schema": (GOOD.replace("schema: 1\n", ""), "schema is missing", 1),
    "another schema": (GOOD.replace("schema: 1", "schema: 2"), "schema", 1),
    "another effect": (GOOD.replace("effect: allow", "effect: yes"), "rules.0.effect", 13),
    "text for a number": (GOOD + '    max_risk: "0.5"\n', "rules.0.max_risk", 15),
    "text for yes": (GOOD + 'safe_mode: "no"\n', "safe_mode", 15),
    "above 1": (GOOD + "    max_risk: 1.5\n", "rules.0.max_risk", 15),
    "not a number": (GOOD + "    max_risk: .nan\n", "rules.0.max_risk", 15),
    "half infinite": (GOOD + "risk: {changes_half: .inf}\n", "risk.changes_half", 15),
    "a negative count": (GOOD + "    max_changes: -1\n", "rules.0.max_changes", 15),
    "four levels": (GOOD.replace("  - {name: e, allow: 1, ask: 1}\n", ""), "levels", None),
    "a level that gives less": (GOOD.replace("0.3, ask: 0.6", "0.0, ask: 0.6"), "gives less than 'b'", 5),
    "ask below allow": (GOOD.replace("0.3, ask: 0.6", "0.3, ask: 0.2"), "below allow", 5),
    "autonomy of 5": (GOOD + "autonomy_level: 5\n", "autonomy_level", 15),
    "two rules of a name": (GOOD + GOOD[GOOD.index("  - name: all") :], "two rules are called 'all'", 15),
    "a role that is none": (GOOD + "    when: {roles: [ownr]}\n", "the role 'ownr'", 11),
    "a default role that is none": (GOOD + "default_roles: [ownr]\n", "no role 'ownr'", 15),
    "a grant that is none": (GOOD.replace('owner: ["*"]', "owner: [ALL]"), "roles.owner.0", 9),
    "reading that is risky": (GOOD + "base: {READ: 0.5}\n", "base.READ", 15),
    "weights that fall": (GOOD + "risk:\n  level: {high: 0.9, critical: 0.1}\n", "must rise", 16),
    "deep": (GOOD + "x: " + "[" * 40 + "]" * 40 + "\n", "nested too deeply", 15),
    "very deep": ("[" * 30_000, "", None),
    "big": (GOOD + "#" * 100_000, "at most 100,000", None),
    "an int of many digits": (GOOD + "    max_changes: " + "9" * 5000 + "\n", "", None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_by_its_line_and_denies_all_but_looking(tmp_path: Path, name: str) -> None:
    text, what, line = BROKEN[name]
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_rules(path)
    assert what in caught.value.what
    assert str(path) in caught.value.where
    if line is not None:
        assert caught.value.where.endswith(f", line {line}")
    denies(Policy.load(path))


def denies(policy: Policy) -> None:
    assert policy.fault
    for action in Action:
        found = policy.decide(action, local_context(verified=True, approval_id="yes"))
        assert (found.answer == "allowed") == (action is Action.READ)
        assert action is Action.READ or policy.fault in found.reason


def test_a_file_that_is_missing_or_no_file_or_no_text_denies_too(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_rules(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"schema: 1\nx: \xff\xfe\n")
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        read_rules(tmp_path / "bytes.yaml")
    assert caught.value.where.endswith("line 2")
    (tmp_path / "control.yaml").write_bytes(b"schema: 1\nx: \x00\n")
    for name in ("none.yaml", "bytes.yaml", "control.yaml", ""):
        denies(Policy.load(tmp_path / name))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_copy_of_the_shipped_file_denies_or_is_whole(tmp_path: Path, data: st.DataObject) -> None:
    raw = SHIPPED.read_bytes()
    at = data.draw(st.integers(0, len(raw)))
    until = data.draw(st.integers(at, min(len(raw), at + 400)))
    damaged = raw[:at] + data.draw(st.binary(max_size=6)) + raw[until:]
    path = tmp_path / "policy.yaml"
    path.write_bytes(damaged)
    policy = Policy.load(path)
    if policy.fault:
        denies(policy)
    else:
        assert policy.decide(Action.DEPLOY, PolicyContext()).answer == "denied"


def test_a_good_file_is_the_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD)
    policy = Policy.load(path)
    assert (policy.fault, policy.source) == ("", str(path))
    found = policy.decide(Action.JOB_CANCEL, local_context())
    assert (found.answer, found.rule) == ("allowed", "all")


def test_a_tenant_has_its_own_rules_limits_and_people(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        GOOD
        + "tenants:\n  default: {}\n  acme:\n    autonomy_level: 2\n    max_changes: 3\n    actors: [ann]\n    rules:\n"
        "      - {name: never, actions: [DEPLOY], effect: deny, reason: not at acme}\n"
        "  off: {enabled: false}\n  quiet: {safe_mode: true}\nautonomy_level: 4\n"
    )
    policy = Policy.load(path)
    assert not policy.fault

    def rule(action: Action, tenant: str, **facts: object) -> tuple[str, str]:
        found = policy.decide(action, local_context(tenant=tenant, actor="ann", risk_level="low", **facts))
        return found.answer, found.rule

    assert rule(Action.DEPLOY, "default") == ("allowed", "all")
    assert rule(Action.DEPLOY, "acme") == ("denied", "never")
    assert rule(Action.CODE_APPLY, "acme", change_count=4) == ("denied", "tenant-limit")
    assert rule(Action.CODE_APPLY, "acme", change_count=3) == ("ask", "all")
    assert rule(Action.CODE_APPLY, "default", change_count=400) == ("allowed", "all")
    assert rule(Action.READ, "off") == ("denied", "tenant-disabled")
    assert rule(Action.READ, "nowhere") == ("denied", "tenant-unknown")
    assert rule(Action.PR_PROPOSE, "quiet") == ("denied", "safe-mode")
    assert rule(Action.READ, "default", target_tenant="acme") == ("denied", "tenant-isolation")
    assert rule(Action.DEPLOY, "default", scope="system") == ("denied", "tenant-isolation")
    assert policy.decide(Action.READ, local_context(tenant="acme", actor="bob")).rule == "tenant-isolation"


def test_the_document_has_the_shipped_rules_levels_and_actions() -> None:
    from core.policy import ACTION_FACTS

    text = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")
    book = shipped_rules()
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in text.splitlines() if line[:1] == "|"]
    for number, level in enumerate(book.levels):
        assert (f"{number} {level.name}", f"{level.allow:g}", f"{level.ask:g}") in rows
    for action, facts in ACTION_FACTS.items():
        assert (f"`{action}`", facts.does, f"{getattr(book.base, action):g}", facts.capability) in rows
    for rule in book.rules:
        limits = {"max_changes": rule.max_changes, "needs_verified": rule.needs_verified or None}
        told = ", ".join(f"{k} {v}".removesuffix(" True") for k, v in limits.items() if v is not None)
        assert (rule.name, ", ".join(f"`{a}`" for a in rule.actions), rule.effect, told, rule.reason) in rows
