"""The gate: asks the policy and keeps every answer in the audit.  What cannot be audited is not done."""

from __future__ import annotations

import shlex

from core.approvals import Approval
from core.errors import ApprovalError, ApprovalNeededError, DeniedError, NotFoundError
from core.ids import Clock, system_clock
from core.policy import CAPABILITIES, Action, Decision, PolicyContext
from core.settings import Settings
from memory.approvals import Approvals
from memory.audit import Audit
from memory.ledger import Ledger
from service.policy.policy import Policy
from service.policy.question import EXPIRES_S, action_question

__all__ = ["TYPED", "Gate"]

TYPED = "typed at the command line"
"""The yes of a person who typed exactly this."""
MOST_LOOKED = 10_000
"""Ways of looking that are remembered."""


class Gate:
    """The one way to leave for a privileged action.

    `safe_mode`: of the program's settings; then it holds for every request, whatever its context says.
    `approvals`: where what a person has to decide is parked, and where their yes is looked up; without it no
    `approval_id` counts.
    """

    def __init__(
        self,
        policy: Policy,
        audit: Audit,
        *,
        safe_mode: bool = False,
        clock: Clock = system_clock,
        approvals: Approvals | None = None,
    ) -> None:
        self.policy = policy
        self.audit = audit
        self._safe_mode = safe_mode
        self._clock = clock
        self._approvals = approvals
        self._looked: set[tuple[str, ...]] = set()

    @classmethod
    def of(cls, settings: Settings, ledger: Ledger) -> Gate:
        """The gate that the settings want; its audit and its questions are in the ledger."""
        policy, audit = Policy.load(settings.policy_file), Audit(ledger.database)
        return cls(policy, audit, safe_mode=settings.safe_mode, approvals=Approvals(ledger))

    def decide(self, action: Action, context: PolicyContext) -> Decision:
        """The decision, after it was kept, as if nobody had said yes: `require` alone looks at `approval_id`.

        Raises StorageError or BusyError when it cannot be kept: then do nothing.
        """
        return self._kept(action, self._unapproved(context))

    def require(self, action: Action, context: PolicyContext, *, request: str = "") -> Decision:
        """The decision when it may be done now.  Raises DeniedError (exit 3) or ApprovalNeededError (exit 5).

        What a person has to decide is parked as a question, which the error names.  After their yes the same request
        with that `approval_id` passes once; ApprovalError or NotFoundError when it does not count.  A `request` that is
        sent again because it came to no end goes on with the yes that it has used.
        """
        asked = self._unapproved(context)
        decision = self.policy.decide(action, asked, at=self._clock())
        if decision.answer == "ask" and context.approval_id and self._approvals is not None:
            try:
                question = action_question(action, asked, decision)
                used = self._used(self._approvals, context.approval_id, question, request)
            except (ApprovalError, NotFoundError):
                self.audit.append(decision, asked)
                raise
            return self._kept(action, asked.model_copy(update={"approval_id": used}))
        self.audit.append(decision, asked)
        if decision.answer == "allowed":
            return decision
        raise self._refusal(action, asked, decision)

    def require_typed(self, action: Action, context: PolicyContext) -> Decision:
        """`require` for what a person at this machine has just typed.

        Where only the risk would ask a person, their command is the yes; what a rule itself wants asked is asked.
        """
        asked = self._unapproved(context)
        foreseen = self.policy.decide(action, asked)
        if foreseen.answer == "ask" and not self.policy.asks_by_rule(foreseen, asked):
            return self._kept(action, asked.model_copy(update={"approval_id": TYPED}))
        return self.require(action, context)

    def decide_typed(self, action: Action, context: PolicyContext, *, approved: str = "") -> Decision:
        """The decision, after it was kept, for what follows from what a person has typed; nothing is raised for a no.

        Their command is the yes to what only the risk would have them asked, for things of their own tenant; `approved`
        is their yes to exactly this, which the caller has looked up.
        """
        asked = self._unapproved(context)
        foreseen = self.policy.decide(action, asked)
        own = context.scope == "tenant" and not context.autonomous and not self.policy.asks_by_rule(foreseen, asked)
        if foreseen.answer == "ask" and (approved or own):
            return self._kept(action, asked.model_copy(update={"approval_id": approved or TYPED}))
        return self._kept(action, asked)

    def look(self, context: PolicyContext) -> Decision:
        """READ.  Kept in the audit the first time that this asker comes this way with this answer, not every time: a
        page that asks once a second would bury all other entries.  Raises as `require`.
        """
        asked = self._unapproved(context)
        decision = self.policy.decide(Action.READ, asked, at=self._clock())
        who = (asked.actor, *asked.roles, asked.tenant, asked.route, decision.rule, decision.answer)
        if who not in self._looked:
            if len(self._looked) >= MOST_LOOKED:
                self._looked.clear()
            self.audit.append(decision, asked)
            self._looked.add(who)
        if decision.answer == "allowed":
            return decision
        raise self._refusal(Action.READ, asked, decision)

    def _refusal(self, action: Action, asked: PolicyContext, decision: Decision) -> DeniedError | ApprovalNeededError:
        """The error for a decision that is no yes; what a person has to decide is parked."""
        where = f"rule {decision.rule}, {self.policy.source} rules, risk {decision.risk:.2f}"
        explain = f"`{_explaining(action, asked)}`"
        if decision.answer == "denied":
            hint = f"{explain} says what would change it"
            return DeniedError(f"{action.value} is denied: {decision.reason}", where=where, hint=hint)
        what = f"{action.value} waits for a person: {decision.reason}"
        if self._approvals is None:
            return ApprovalNeededError(what, where=where, hint=f"say yes to it, or {explain}")
        question = action_question(action, asked, decision)
        return _parked(self._approvals.ask(question, expire_s=EXPIRES_S, again=True), what, where)

    def _unapproved(self, context: PolicyContext) -> PolicyContext:
        safe_mode = self._safe_mode or context.safe_mode
        return context.model_copy(update={"safe_mode": safe_mode, "approval_id": ""})

    def _kept(self, action: Action, context: PolicyContext) -> Decision:
        decision = self.policy.decide(action, context, at=self._clock())
        self.audit.append(decision, context)
        return decision

    @staticmethod
    def _used(approvals: Approvals, approval_id: str, question: Approval, request: str) -> str:
        """The id of the yes, used up.  An approval of something else has another hash."""
        held = approvals.get(approval_id)
        return approvals.use(held.id, question.asked_again(held.nonce).shown_hash, request=request).id


def _explaining(action: Action, asked: PolicyContext) -> str:
    """The command that explains this very decision: it takes whoever types it for the one who asks, unless told."""
    typed = PolicyContext(roles=("owner",), capabilities=frozenset(CAPABILITIES), route="cli", actor=asked.actor)
    if asked.route != typed.route:
        typed = typed.model_copy(update={"actor": ""})
    words = ["python", "run_graph.py", "policy", "explain", action.value]
    for name, value in asked.model_dump(mode="json", exclude={"version", "approval_id", "details"}).items():
        if value is None or getattr(asked, name) == getattr(typed, name):
            continue
        said = ",".join(sorted(value)) if isinstance(value, list) else value
        words += ["--context", f"{name}={said}"]
    return shlex.join(words)


def _parked(asked: Approval, what: str, where: str) -> ApprovalNeededError | DeniedError:
    """The error that says where the question stands."""
    answer = asked.answer
    if answer is None:
        hint = f"`python run_graph.py approve {asked.id}`, then ask again with the approval {asked.id}"
        return ApprovalNeededError(f"{what} ({asked.id})", where=where, hint=hint, approval_id=asked.id)
    if answer.says_yes:
        hint = f"ask again with the approval {asked.id}: it holds once"
        said = f"{answer.by} said yes to it ({asked.id})"
        return ApprovalNeededError(f"{said}", where=where, hint=hint, approval_id=asked.id)
    reason = f": {answer.text}" if answer.text else ""
    return DeniedError(f"{answer.by} said no to it ({asked.id}){reason}", where=where, hint="ask again in a day")
