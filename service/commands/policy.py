"""`policy explain`, `policy check`, `policy show`: what may be done, why, and what would change it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from core.errors import UsageError, nearest
from core.policy import Action, PolicyContext
from core.validation import config_error
from service.operations.governance import PolicyExplained, policy_explained
from service.output import Output
from service.policy import Policy, local_context, read_rules
from service.policy.policy import SHIPPED
from service.state import settings_of
from service.tables import columns, fields

__all__ = ["policy"]

LISTS = ("roles", "capabilities")
"""Keys of the context whose value is several words: `roles=owner,viewer`."""


def policy(args: argparse.Namespace, output: Output) -> int:
    """`policy explain ACTION [--context KEY=VALUE …]`, `policy check FILE`, `policy show [--yaml]`"""
    if args.action == "check":
        return _check(Path(args.file), output)
    settings = settings_of(args)
    in_force = Policy.load(settings.policy_file)
    if args.action == "show":
        return _show(in_force, args.yaml, output)
    action = _action(args.what)
    context = _context(args.context or [], safe_mode=settings.safe_mode)
    found = policy_explained(in_force, action, context)
    output.result(found.model_dump(mode="json"), _explained(found, output))
    return 0


def _explained(found: PolicyExplained, output: Output) -> str:
    style = {"allowed": "good", "ask": "strong", "denied": "bad"}[found.answer]
    rows: list[tuple[str, object]] = [
        ("rule", f"{found.rule} ({found.source} rules)"),
        ("why", found.reason),
        ("risk", f"{found.risk:.2f} = 1 − Π (1 − part)"),
    ]
    rows += [(f"  {name}", f"{part:.2f}") for name, part in found.parts.items()]
    allow, ask = found.thresholds["allow"], found.thresholds["ask"]
    if found.autonomy_level is not None:
        rows.append(("autonomy", f"level {found.autonomy_level}: at once up to {allow:.2f}, asked up to {ask:.2f}"))
    lines = [f"{found.action.value} ({found.does}): {output.paint(found.answer, style)}", fields(rows)]
    if found.changes:
        lines.append("would change it:")
        lines += [f"  {' and '.join(c.what)}: {c.answer} (risk {c.risk:.2f})" for c in found.changes]
    if found.answer == "ask" and found.context["route"] == "cli":
        lines.append("typed at this command line it is done, unless a rule wants it asked: the command is the yes")
    if not found.changes and found.answer != "allowed":
        lines.append("nothing that was tried would change it")
    return "\n".join(lines)


def _check(path: Path, output: Output) -> int:
    book = read_rules(path)
    rules = len(book.rules) + sum(len(tenant.rules) for tenant in book.tenants.values())
    told = {"file": str(path), "rules": rules, "roles": len(book.roles), "tenants": len(book.tenants)}
    output.result(told, f"{path} can be read: {rules} rules, {told['roles']} roles, {told['tenants']} tenants")
    return 0


def _show(in_force: Policy, as_yaml: bool, output: Output) -> int:
    book = in_force.book
    told = book.model_dump(mode="json", by_alias=True)
    if as_yaml and in_force.source == "shipped":
        text = SHIPPED.read_text(encoding="utf-8")  # with its comments
    elif as_yaml:
        text = yaml.safe_dump(_without_versions(told), sort_keys=False, allow_unicode=True, width=100)
    else:
        rules = [(r.name, ", ".join(r.actions), _limits(r.model_dump()), r.reason) for r in book.rules]
        rules += [
            (f"{name}: {r.name}", ", ".join(r.actions), _limits(r.model_dump()), r.reason)
            for name, tenant in book.tenants.items()
            for r in tenant.rules
        ]
        level = book.levels[book.autonomy_level]
        head: list[tuple[str, object]] = [
            ("rules", in_force.source),
            ("safe mode", "on" if book.safe_mode else "off"),
            ("autonomy", f"level {book.autonomy_level} ({level.name})"),
            *((f"role {name}", ", ".join(grants)) for name, grants in book.roles.items()),
            ("tenants", ", ".join(book.tenants)),
        ]
        text = f"{fields(head)}\n\n{columns(rules, ('rule', 'actions', 'answer', 'why'))}"
    if in_force.fault:
        text = f"the rules file is broken, so everything but reading is denied: {in_force.fault}"
    output.result({"source": in_force.source, "fault": in_force.fault, "policy": told}, text.rstrip())
    return 3 if in_force.fault else 0


def _limits(rule: dict[str, Any]) -> str:
    limits = [rule["effect"]]
    if rule["max_changes"] is not None:
        limits.append(f"to {rule['max_changes']} changes")
    if rule["max_risk"] < 1:
        limits.append(f"to risk {rule['max_risk']:.2f}")
    if rule["needs_verified"]:
        limits.append("verified")
    if rule["min_isolation"]:
        limits.append(f"isolation {rule['min_isolation']}")
    limits += [f"{key} {'/'.join(names)}" for key, names in rule["when"].items() if key != "version" and names]
    return ", ".join(limits)


def _without_versions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_versions(one) for key, one in value.items() if key != "version"}
    return [_without_versions(one) for one in value] if isinstance(value, list) else value


def _action(word: str) -> Action:
    try:
        return Action(word.upper().replace("-", "_"))
    except ValueError as error:
        raise UsageError(
            f"there is no action {word!r}", where="command line", hint=nearest(word.upper(), Action.__members__)
        ) from error


def _context(words: Sequence[str], *, safe_mode: bool) -> PolicyContext:
    """The person at this machine, changed by `KEY=VALUE`."""
    values: dict[str, Any] = {"safe_mode": safe_mode}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or key not in PolicyContext.model_fields or key in ("version", "details"):
            known = [name for name in PolicyContext.model_fields if name not in ("version", "details")]
            raise UsageError(f"--context {word!r} is not KEY=VALUE", where="command line", hint=nearest(key, known))
        values[key] = [one for one in text.split(",") if one] if key in LISTS else text
    try:
        return local_context(**values)
    except ValidationError as error:
        raise config_error(error, PolicyContext, "--context") from error
