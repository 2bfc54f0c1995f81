"""What a later process finds again: questions that wait, queued guidance, budgets and modes as they were set."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from tiny_run import ID, TinyRun, council

from core.approvals import Answer
from graph.approvals import open_approvals
from graph.budgets import with_budgets
from graph.campaign import Ending, run_campaign
from memory.guidance import GuidanceBook
from memory.history import History


def resume(tiny: TinyRun, **overrides: object) -> Ending:
    """As `resume` does it: with what the ledger has, and nothing else."""
    with tiny.ledger() as ledger:
        stored = ledger.campaign(ID)
        if overrides:
            stored = replace(stored, definition=with_budgets(stored.definition, overrides))
        return asyncio.run(run_campaign(tiny.home, ledger, stored))


def test_questions_guidance_and_settings_are_there_again(tmp_path: Path) -> None:
    seats = council(supervisor={"use": "roles.py:careful", "asks": True})
    tiny = TinyRun(tmp_path, council=seats, approvals="confirm", budget={"cycles": 2})
    assert tiny.run({"budget.cycles": 1})[0].status == "waiting"
    with tiny.ledger() as ledger:
        asked = open_approvals(ledger).waiting(ID)
        said = GuidanceBook(ledger).give(ID, "keep x below 0.95", author="ann", door="cli")

    assert resume(tiny).status == "waiting"  # nobody has answered; nothing is asked twice
    with tiny.ledger() as ledger:
        approvals = open_approvals(ledger)
        assert [one.id for one in approvals.of(ID)] == [one.id for one in asked]
        (receipt,) = GuidanceBook(ledger).receipts(ID)
        assert (receipt.guidance, receipt.status) == (said, "queued")
        answer = Answer(kind="accept", remember="campaign")
        for one in sorted(asked, key=lambda one: -one.risk):
            approvals.answer(one.id, answer, by="ann", door="cli", shown_hash=one.shown_hash)

    assert resume(tiny).status == "finished"  # after one cycle, as it was set when it began; the file says two
    with tiny.ledger() as ledger:
        assert ledger.campaign(ID).definition.budget.cycles == 1
        assert ledger.campaign(ID).definition.approvals.mode == "confirm"
    assert resume(tiny, **{"budget.cycles": 2}).status == "finished"  # the remembered yes holds in the next session
    with tiny.ledger() as ledger:
        assert ledger.campaign(ID).definition.budget.cycles == 2
        assert History.load(ledger, ID).last_finished_cycle == 2
        assert len(open_approvals(ledger).of(ID)) == 4
