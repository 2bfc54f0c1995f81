"""The gate: asks the policy and keeps every answer in the audit.  What cannot be audited is not done."""

from __future__ import annotations

from core.errors import ApprovalNeededError, DeniedError
from core.ids import Clock, system_clock
from core.policy import Action, Decision, PolicyContext
from core.settings import Settings
from memory.audit import Audit
from memory.ledger import Ledger
from service.policy.policy import Policy

__all__ = ["Gate"]

MOST_LOOKED = 10_000
"""Ways of looking that are remembered."""


class Gate:
    """The one way to leave for a privileged action.

    `safe_mode`: of the program's settings; then it holds for every request, whatever its context says.
    """

    def __init__(self, policy: Policy, audit: Audit, *, safe_mode: bool = False, clock: Clock = system_clock) -> None:
        self.policy = policy
        self.audit = audit
        self._safe_mode = safe_mode
        self._clock = clock
        self._looked: set[tuple[str, ...]] = set()

    @classmethod
    def of(cls, settings: Settings, ledger: Ledger) -> Gate:
        """The gate that the settings want, with its audit in the ledger."""
        return cls(Policy.load(settings.policy_file), Audit(ledger.database), safe_mode=settings.safe_mode)

    def decide(self, action: Action, context: PolicyContext) -> Decision:
        """The decision, after it was kept.  Raises StorageError or BusyError when it cannot be: then do nothing."""
        if self._safe_mode and not context.safe_mode:
            context = context.model_copy(update={"safe_mode": True})
        decision = self.policy.decide(action, context, at=self._clock())
        self.audit.append(decision, context)
        return decision

    def look(self, context: PolicyContext) -> Decision:
        """READ.  Kept in the audit the first time that this asker comes this way with this answer, not every time: a
        page that asks once a second would bury all other entries.  Raises as `require`.
        """
        decision = self.policy.decide(Action.READ, context, at=self._clock())
        who = (context.actor, *context.roles, context.tenant, context.route, decision.rule, decision.answer)
        if who not in self._looked:
            if len(self._looked) >= MOST_LOOKED:
                self._looked.clear()
            self.audit.append(decision, context)
            self._looked.add(who)
        return self._allowed(decision)

    def require(self, action: Action, context: PolicyContext) -> Decision:
        """The decision when it may be done now.  Raises DeniedError (exit 3) or ApprovalNeededError (exit 5)."""
        return self._allowed(self.decide(action, context))

    def _allowed(self, decision: Decision) -> Decision:
        action = decision.action
        if decision.answer == "denied":
            raise DeniedError(
                f"{action.value} is denied: {decision.reason}",
                where=f"rule {decision.rule}, {self.policy.source} rules, risk {decision.risk:.2f}",
                hint=f"`python run_graph.py policy explain {action.value}` says what would change it",
            )
        if decision.answer == "ask":
            raise ApprovalNeededError(
                f"{action.value} waits for a person: {decision.reason}",
                where=f"rule {decision.rule}, {self.policy.source} rules, risk {decision.risk:.2f}",
                hint=f"say yes to it, or `python run_graph.py policy explain {action.value}`",
            )
        return decision
