"""What a rules file says, as records.  Unknown keys, unknown names and contradictions are refused when it is read."""

from __future__ import annotations

import itertools
from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.policy import DEFAULT_TENANT, Action, Rule
from core.records import Record

__all__ = ["Base", "ContradictionError", "Level", "LevelWeights", "RiskWeights", "Rulebook", "Tenant"]

Share = Annotated[float, Field(ge=0, le=1)]
AutonomyLevel = Annotated[int, Field(ge=0, le=4)]
Grant = Action | Literal["*"]


class Level(Record):
    """One autonomy level: up to `allow` a risk may be taken at once, up to `ask` when a person says yes."""

    name: str
    allow: Share
    ask: Share

    @model_validator(mode="after")
    def _ordered(self) -> Level:
        if self.ask < self.allow:
            raise ValueError(f"ask ({self.ask}) is below allow ({self.allow})")
        return self


class LevelWeights(Record):
    """Parts of the risk by the level that whoever asks gives."""

    low: Share = 0.0
    unknown: Share = 0.1
    medium: Share = 0.15
    high: Share = 0.4
    critical: Share = 0.7

    @model_validator(mode="after")
    def _ordered(self) -> LevelWeights:
        rising = (self.low, self.medium, self.high, self.critical)
        if list(rising) != sorted(rising) or self.unknown < self.low:
            raise ValueError("the weights must rise from low to critical, and unknown is not below low")
        return self


class RiskWeights(Record):
    """The parts of the risk score, each the share of the remaining safety that it takes away."""

    changes: Share = Field(default=0.3, description="of ever more changes; half of it at `changes_half`")
    changes_half: float = Field(default=20.0, gt=0, allow_inf_nan=False)
    system_scope: Share = 0.3
    unverified: Share = 0.2
    isolation_weak: Share = Field(default=0.2, description="level 1, none, or not told")
    isolation_middle: Share = Field(default=0.05, description="level 2")
    actor_unknown: Share = 0.15
    autonomous: Share = 0.1
    dry_run: Share = Field(default=0.02, description="in place of the action's own base, where that is more")
    level: LevelWeights = LevelWeights()

    @model_validator(mode="after")
    def _ordered(self) -> RiskWeights:
        if self.isolation_weak < self.isolation_middle:
            raise ValueError("isolation_weak is below isolation_middle")
        return self


class Base(Record):
    """The risk that lies in the action itself."""

    READ: float = Field(default=0.0, ge=0, le=0, description="looking has no effect")
    GUIDE: Share = 0.05
    APPROVE: Share = 0.05
    JOB_CANCEL: Share = 0.05
    CAMPAIGN_START: Share = 0.05
    TRAIN_START: Share = 0.08
    IMPROVEMENT_START: Share = 0.15
    COUNCIL_CHANGE: Share = 0.1
    MEMORY_DELETE: Share = 0.4
    CODE_APPLY: Share = 0.2
    PR_PROPOSE: Share = 0.3
    DEPLOY: Share = 0.45
    ROLLBACK: Share = 0.1
    REMOTE_CALL: Share = 0.2


class Tenant(Record):
    """What holds for one tenant only.  It may tighten what holds for all; its own rules are looked at first."""

    enabled: bool = True
    safe_mode: bool = False
    autonomy_level: AutonomyLevel | None = Field(default=None, description="the most that is given")
    max_risk: Share = 1.0
    max_changes: int | None = Field(default=None, ge=0)
    system_scope: bool = Field(default=False, description="may touch things of all tenants, when a person says yes")
    actors: tuple[str, ...] = Field(default=(), description="who may act for it; empty: whoever the door lets in")
    rules: tuple[Rule, ...] = ()


class ContradictionError(ValueError):
    """Two parts of a rules file contradict each other; `path` leads to the later one."""

    def __init__(self, what: str, *path: str | int) -> None:
        super().__init__(what)
        self.path = path


class Rulebook(Record):
    """A whole rules file.  In a list of rules the first that fits decides; where none fits, the answer is no."""

    schema_number: Literal[1] = Field(alias="schema")
    safe_mode: bool = False
    autonomy_level: AutonomyLevel = Field(default=2, description="the most that is given to anybody")
    levels: tuple[Level, Level, Level, Level, Level] = Field(description="of autonomy, 0 to 4")
    base: Base = Base()
    risk: RiskWeights = RiskWeights()
    roles: dict[str, tuple[Grant, ...]] = Field(description="role → actions it may ask for; `*`: all")
    default_roles: tuple[str, ...] = Field(default=(), description="of whoever brings none")
    tenants: dict[str, Tenant] = Field(default={DEFAULT_TENANT: Tenant(system_scope=True)})
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Rulebook:
        for number, name in enumerate(self.default_roles):
            if name not in self.roles:
                raise ContradictionError(f"there is no role {name!r}", "default_roles", number)
        self._check_rules(self.rules, "rules")
        for name, tenant in self.tenants.items():
            self._check_rules(tenant.rules, "tenants", name, "rules")
        for number, (lower, higher) in enumerate(itertools.pairwise(self.levels), start=1):
            if higher.allow < lower.allow or higher.ask < lower.ask:
                raise ContradictionError(
                    f"level {higher.name!r} gives less than {lower.name!r} below it", "levels", number
                )
        return self

    def _check_rules(self, rules: tuple[Rule, ...], *path: str) -> None:
        names: set[str] = set()
        for number, rule in enumerate(rules):
            if rule.name in names:
                raise ContradictionError(f"two rules are called {rule.name!r}", *path, number)
            names.add(rule.name)
            for role in rule.when.roles:
                if not role.endswith("*") and role not in self.roles:
                    raise ContradictionError(
                        f"rule {rule.name!r} is for the role {role!r}, which there is not", *path, number
                    )
