"""The gate: every answer is kept before it is given, or nothing is done; and what would change an answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from policy_strategies import actions, contexts, rulebooks

from core.approvals import Answer
from core.errors import ApprovalError, ApprovalNeededError, DeniedError, NotFoundError, StorageError
from core.policy import Action, PolicyContext
from memory import schema
from memory.approvals import Approvals
from memory.audit import Audit
from memory.ledger import Ledger
from service.policy import Gate, Policy, capabilities_of, explain, local_context
from service.policy.rulebook import Rulebook


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def audit(ledger: Ledger) -> Audit:
    return Audit(ledger.database)


def test_every_decision_is_kept_with_its_context(audit: Audit) -> None:
    gate = Gate(Policy.load(), audit, clock=lambda: 77.0)
    told = [gate.decide(action, local_context(actor="ann", details={"run": "r1"})) for action in Action]
    kept = list(audit.entries())
    assert [(e.action, e.decision, e.risk, e.rule, e.reason, e.at) for e in kept] == [
        (d.action.value, d.answer, d.risk, d.rule, d.reason, 77.0) for d in told
    ]
    assert {(e.actor, e.route, e.context["details"]["run"]) for e in kept} == {("ann", "cli", "r1")}
    assert audit.verify().whole


def test_what_is_required_is_done_denied_or_waits(audit: Audit) -> None:
    gate = Gate(Policy.load(), audit)
    assert gate.require(Action.CAMPAIGN_START, local_context()).allowed
    with pytest.raises(DeniedError, match="ENABLE_TRAINING is missing") as denied:
        gate.require(Action.TRAIN_START, local_context(capabilities=frozenset()))
    with pytest.raises(ApprovalNeededError, match="waits for a person") as waits:
        gate.require(Action.PR_PROPOSE, local_context(verified=True))
    assert (denied.value.exit_code, waits.value.exit_code) == (3, 5)
    assert [e.decision for e in audit.entries()] == ["allowed", "denied", "ask"]


def test_safe_mode_of_the_settings_holds_whatever_the_context_says(audit: Audit) -> None:
    gate = Gate(Policy.load(), audit, safe_mode=True)
    found = gate.decide(Action.PR_PROPOSE, local_context(safe_mode=False, approval_id="yes", verified=True))
    assert (found.answer, found.rule) == ("denied", "safe-mode")
    assert next(audit.entries()).context["safe_mode"] is True


def test_what_cannot_be_kept_is_not_done(audit: Audit, ledger: Ledger) -> None:
    schema.audit.drop(ledger.database.engine)
    with pytest.raises(StorageError):
        Gate(Policy.load(), audit).require(Action.CAMPAIGN_START, local_context())


def test_only_a_plain_yes_opens_a_capability() -> None:
    assert capabilities_of({"ENABLE_TRAINING": "1", "ENABLE_AUTONOMY": " True "}) == {
        "ENABLE_TRAINING",
        "ENABLE_AUTONOMY",
    }
    for value in ("", "0", "false", "no", "off", "2", "ja"):
        assert capabilities_of({"ENABLE_TRAINING": value, "ENABLE_OTHER": "1"}) == frozenset()


# ---------------------------------------------------------------------------------------------------- explanations


def what(action: Action, context: PolicyContext) -> dict[tuple[str, ...], str]:
    return {change.what: change.answer for change in explain(Policy.load(), action, context).changes}


def test_what_would_change_it_is_said() -> None:
    assert what(Action.CAMPAIGN_START, local_context()) == {}
    assert what(Action.DEPLOY, local_context()) == {("evidence that was verified",): "ask"}
    assert what(Action.PR_PROPOSE, local_context(safe_mode=True))[("safe mode off",)] == "ask"
    asked = what(Action.PR_PROPOSE, local_context(verified=True))
    assert asked[("a person who says yes",)] == "allowed"
    assert ("ENABLE_TRAINING=1 in the environment", "the role operator") in what(Action.TRAIN_START, PolicyContext())


@settings(max_examples=60, deadline=None)
@given(rulebooks(), actions, contexts)
def test_no_change_is_told_that_does_not_make_it_milder(book: Rulebook, action: Action, context: PolicyContext) -> None:
    policy = Policy(book, "test")
    found = explain(policy, action, context)
    assert found.decision == policy.decide(action, context)
    if found.decision.answer == "allowed":
        assert found.changes == ()
    for change in found.changes:
        assert change.answer != "denied"
        assert (found.decision.answer, change.answer) != ("ask", "ask")
    assert len({len(change.what) for change in found.changes}) <= 1


# -------------------------------------------------------------------------------------------------------- approvals


def yes(approvals: Approvals, asked: str, kind: str = "accept") -> None:
    shown = approvals.get(asked).shown_hash
    approvals.answer(asked, Answer(kind=kind), by="bob", door="cli", shown_hash=shown)  # type: ignore[arg-type]


def parked(gate: Gate, context: PolicyContext) -> str:
    with pytest.raises(ApprovalNeededError, match="waits for a person") as waits:
        gate.require(Action.MEMORY_DELETE, context)
    assert waits.value.approval_id in str(waits.value)
    return waits.value.approval_id


def test_what_waits_for_a_person_is_parked_and_after_their_yes_passes_once(audit: Audit, ledger: Ledger) -> None:
    approvals = Approvals(ledger)
    gate = Gate(Policy.load(), audit, approvals=approvals)
    context = local_context(actor="ann", details={"item": "t-1", "token": "ghp_0123456789abcdefghijABCDEFGHIJ012345"})
    asked = parked(gate, context)
    assert parked(gate, context) == asked  # asked again, it is the same question
    shown = approvals.get(asked)
    assert (shown.kind, shown.asker, shown.shown["details"]["item"]) == ("MEMORY_DELETE", "ann", "t-1")
    assert "ghp_0123456789" not in shown.model_dump_json()
    with pytest.raises(ApprovalError, match="not answered yet"):
        gate.require(Action.MEMORY_DELETE, context.model_copy(update={"approval_id": asked}))
    yes(approvals, asked)
    with pytest.raises(ApprovalNeededError, match=r"bob said yes"):
        gate.require(Action.MEMORY_DELETE, context)  # without the approval it is not used
    approved = context.model_copy(update={"approval_id": asked})
    others = (
        approved.model_copy(update={"details": {"item": "t-2"}}),
        approved.model_copy(update={"details": {"item": "t-1", "token": "ghp_other6789abcdefghijABCDEFGHIJ01234"}}),
        approved.model_copy(update={"actor": "eve"}),
    )
    for other in others:
        with pytest.raises(ApprovalError, match="a yes to something else"):
            gate.require(Action.MEMORY_DELETE, other)
    assert gate.decide(Action.MEMORY_DELETE, approved).answer == "ask"  # looking uses nothing
    decision = gate.require(Action.MEMORY_DELETE, approved)
    assert (decision.allowed, asked in decision.reason) == (True, True)
    with pytest.raises(ApprovalError, match="holds once"):
        gate.require(Action.MEMORY_DELETE, approved)
    assert parked(gate, context) != asked  # a new question
    assert [e.decision for e in audit.entries()].count("allowed") == 1
    assert audit.verify().whole


def test_a_no_holds_until_it_expires_and_an_unknown_yes_is_none(audit: Audit, ledger: Ledger) -> None:
    approvals = Approvals(ledger)
    gate = Gate(Policy.load(), audit, approvals=approvals)
    asked = parked(gate, local_context())
    yes(approvals, asked, "ignore")
    with pytest.raises(DeniedError, match="bob said no to it"):
        gate.require(Action.MEMORY_DELETE, local_context())
    with pytest.raises(NotFoundError, match="no question"):
        gate.require(Action.MEMORY_DELETE, local_context(approval_id="a-1"))
    assert gate.require(Action.CAMPAIGN_START, local_context(approval_id="a-1")).allowed  # it needed none


def test_without_a_place_to_look_it_up_no_approval_counts(audit: Audit) -> None:
    with pytest.raises(ApprovalNeededError):
        Gate(Policy.load(), audit).require(Action.MEMORY_DELETE, local_context(approval_id="a-1"))


def test_a_yes_does_not_open_what_is_denied(audit: Audit, ledger: Ledger) -> None:
    approvals = Approvals(ledger)
    asked = parked(Gate(Policy.load(), audit, approvals=approvals), local_context())
    yes(approvals, asked)
    agent = local_context(approval_id=asked, roles=("agent",), autonomous=True)
    with pytest.raises(DeniedError):
        Gate(Policy.load(), audit, approvals=approvals).require(Action.MEMORY_DELETE, agent)
    assert approvals.get(asked).state == "answered"


@settings(max_examples=15, deadline=None)
@given(rulebooks(), actions, contexts)
def test_any_request_is_allowed_denied_or_parked_whatever_its_details(
    book: Rulebook, action: Action, context: PolicyContext
) -> None:
    with Ledger(Path(mkdtemp()) / "ledger.db") as ledger:
        gate = Gate(Policy(book, "test"), Audit(ledger.database), approvals=Approvals(ledger))
        odd = context.model_copy(update={"approval_id": "", "details": {"x": "\ud800", "y": {1, 2}, "z": b"a"}})
        wanted = gate.policy.decide(action, odd).answer
        try:
            gate.require(action, odd)
            found = "allowed"
        except DeniedError:
            found = "denied"
        except ApprovalNeededError as error:
            found = "ask"
            approvals = Approvals(ledger)
            yes(approvals, error.approval_id)
            passed = gate.require(action, odd.model_copy(update={"approval_id": error.approval_id}))
            assert passed.allowed
        assert found == wanted
