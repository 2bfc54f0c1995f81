"""The policy in force: the rules shipped, or those of a file; a file that cannot be read denies all but reading."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from core.errors import ConfigError, NotFoundError
from core.policy import Action, Decision, PolicyContext
from core.validation import config_error
from service.policy.judging import judge
from service.policy.lines import MAX_SIZE_BYTES, Lines, read_yaml
from service.policy.risk import risk_of
from service.policy.rulebook import ContradictionError, Rulebook

__all__ = ["SHIPPED", "Policy", "read_rules", "shipped_rules"]

WHOLE = "`python run_graph.py policy show --yaml` prints a whole one"
SHIPPED = Path(__file__).with_name("rules.yaml")


@dataclass(frozen=True)
class Policy:
    """Rules, where they come from, and what is wrong with them.  With a `fault`, everything but READ is denied."""

    book: Rulebook
    source: str
    fault: str = ""

    @classmethod
    def load(cls, path: Path | None = None) -> Policy:
        """The rules in `path`, or those shipped.  Never raises for a bad file: a bad file is a policy that denies."""
        if path is None:
            return cls(shipped_rules(), "shipped")
        try:
            return cls(read_rules(path), str(path))
        except ConfigError as error:
            return cls(shipped_rules(), str(path), f"{error.what} ({error.where})")

    def decide(self, action: Action, context: PolicyContext, *, at: float = 0.0) -> Decision:
        """What is answered to `action` in `context`.  Pure: the same for the same input, nothing is kept."""
        if self.fault and action is not Action.READ:
            risk, parts = risk_of(action, context, self.book)
            reason = f"the rules file is broken, so nothing is allowed but looking: {self.fault}"
            return Decision(
                action=action, answer="denied", risk=risk, parts=parts, rule="broken-file", reason=reason, at=at
            )
        return judge(action, context, self.book, at=at)

    def asks_by_rule(self, decision: Decision, context: PolicyContext) -> bool:
        """Whether a person is asked because a rule says so, or things of all tenants are touched, not for risk."""
        tenant = self.book.tenants.get(context.tenant)
        rules = (*(tenant.rules if tenant else ()), *self.book.rules)
        by_rule = any(rule.name == decision.rule and rule.effect == "ask" for rule in rules)
        return by_rule or context.scope == "system"


def read_rules(path: Path) -> Rulebook:
    """The rules in `path`.  Raises ConfigError (NotFoundError) that names the line."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SIZE_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError("there is no such rules file", where=str(path), hint=WHOLE) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"the rules file cannot be read: {error}", where=str(path)) from error
    data, lines = read_yaml(raw, str(path))
    if not isinstance(data, dict):
        raise ConfigError("a rules file is a mapping of keys", where=f"{path}, line {lines.of(())}")
    try:
        # by way of JSON: strict (no text is taken for a number), and lists are still tuples
        return Rulebook.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        told = config_error(error, Rulebook, str(path))
        hint = (
            "`python run_graph.py policy show --yaml` prints a whole one" if " is missing" in told.what else told.hint
        )
        raise ConfigError(told.what, where=f"{path}, line {_line(error, lines)}", hint=hint) from error


@functools.cache
def shipped_rules() -> Rulebook:
    """The rules that hold where nobody wrote others."""
    return read_rules(SHIPPED)


def _line(error: ValidationError, lines: Lines) -> int:
    """The line of the fault that `config_error` tells of."""
    faults = sorted(error.errors(include_url=False), key=lambda fault: fault["type"] != "extra_forbidden")
    fault = faults[0].get("ctx", {}).get("error")
    return lines.of(fault.path if isinstance(fault, ContradictionError) else faults[0]["loc"])
