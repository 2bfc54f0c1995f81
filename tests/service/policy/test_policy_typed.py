"""What the person at the machine types is their yes; what a rule wants asked is asked all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import ApprovalNeededError, DeniedError
from core.policy import Action
from core.settings import Settings
from memory.audit import Audit
from memory.ledger import Ledger
from service.policy import Gate, ask_locally, local_context


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield ledger


@pytest.mark.parametrize(
    ("action", "facts"),
    [
        (Action.CAMPAIGN_START, {}),
        (Action.REMOTE_CALL, {}),
        (Action.COUNCIL_CHANGE, {}),
        (Action.CODE_APPLY, {"change_count": 400}),
        (Action.PR_PROPOSE, {"change_count": 3000}),
        (Action.PR_PROPOSE, {"change_count": 1, "verified": True}),
    ],
)
def test_default_rules_let_a_person_do_their_work(ledger: Ledger, action: Action, facts: dict[str, object]) -> None:
    assert ask_locally(Gate.of(Settings(), ledger), action, **facts).allowed
    (entry,) = Audit(ledger.database).entries()
    assert (entry.action, entry.decision, entry.route) == (action.value, "allowed", "cli")
    assert entry.actor == local_context().actor


def test_what_a_rule_asks_is_asked(ledger: Ledger) -> None:
    with pytest.raises(ApprovalNeededError) as caught:
        ask_locally(Gate.of(Settings(), ledger), Action.MEMORY_DELETE)
    assert caught.value.approval_id


@pytest.mark.parametrize("action", [Action.PR_PROPOSE, Action.REMOTE_CALL, Action.DEPLOY])
def test_safe_mode_keeps_it_here_whoever_types(ledger: Ledger, action: Action) -> None:
    with pytest.raises(DeniedError, match="safe mode"):
        ask_locally(Gate.of(Settings(safe_mode=True), ledger), action, verified=True)
    assert [entry.rule for entry in Audit(ledger.database).entries()] == ["safe-mode"]


def test_looking_is_audited_once_a_way(ledger: Ledger) -> None:
    gate = Gate.of(Settings(), ledger)
    for route in ("GET /a", "GET /a", "GET /b", "GET /a"):
        gate.look(local_context(route=route))
    assert [entry.route for entry in Audit(ledger.database).entries()] == ["GET /a", "GET /b"]
