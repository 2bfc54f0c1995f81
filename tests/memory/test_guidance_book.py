"""The book of guidance: what is said to a campaign is kept once, numbered, and told back with what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.campaign import Campaign, Objective
from core.errors import NotFoundError, UsageError
from core.escape import escaped
from core.events import (
    BestImproved,
    GuidanceDelivered,
    GuidanceUnused,
    GuidanceUsed,
    JobFinished,
    parse_event,
)
from core.guidance import MAX_CHARACTERS, GuidanceChange, Meaning
from core.records import Outcome
from memory.guidance import GuidanceBook, checked_text
from memory.ledger import Ledger

CAMPAIGN = Campaign(
    name="small",
    command=("true",),
    objective=Objective(metric="accuracy"),
    space={"lr": {"type": "float", "low": 0.0, "high": 1.0}},
    baseline={"lr": 0.1},
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        opened.create_campaign(CAMPAIGN)
        yield opened


def test_numbers_go_up_by_campaign(ledger: Ledger) -> None:
    book, other = GuidanceBook(ledger), ledger.create_campaign(CAMPAIGN).id
    assert [book.give("small-1", text).id for text in ("keep lr low", "keep lr low", "explore")] == ["g1", "g2", "g3"]
    assert book.give(other, "exploit", author="ada", door="rest", urgent=True).id == "g1"
    assert [one.text for one in book.given("small-1")] == ["keep lr low", "keep lr low", "explore"]
    assert book.given(other)[0].urgent
    assert book.given(other)[0].door == "rest"


def test_many_at_once_get_different_numbers(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as first, Ledger(tmp_path / "ledger.db") as second:
        first.create_campaign(CAMPAIGN)
        books = [GuidanceBook(first), GuidanceBook(second)]
        with ThreadPoolExecutor(4) as pool:
            given = list(pool.map(lambda i: books[i % 2].give("small-1", f"sentence {i}").id, range(20)))
        assert sorted(given, key=lambda one: int(one[1:])) == [f"g{i}" for i in range(1, 21)]


def test_a_callback_that_is_asked_again_for_a_cycle_says_it_once(ledger: Ledger) -> None:
    book = GuidanceBook(ledger)
    for _ in range(2):
        book.give("small-1", "prefer small lr", author="mine", door="callback", cycle=3)
    assert len(book.given("small-1")) == 1
    book.give("small-1", "prefer small lr", author="mine", door="callback", cycle=4)
    assert len(book.given("small-1")) == 2


@pytest.mark.parametrize("text", ["", "  \n\t ", "a\x1b[2Jb", "abc\u202edef", "x" * (MAX_CHARACTERS + 1)])
def test_bad_text_is_refused_and_nothing_is_kept(ledger: Ledger, text: str) -> None:
    with pytest.raises(UsageError, match="guidance"):
        GuidanceBook(ledger).give("small-1", text)
    assert GuidanceBook(ledger).receipts("small-1") == []


@given(st.text(max_size=60))
@settings(max_examples=80, deadline=None)
def test_accepted_text_is_one_line_that_a_terminal_may_show(text: str) -> None:
    try:
        line = checked_text(text)
    except UsageError:
        return
    assert line == line.strip() != ""
    assert escaped(line) == line
    assert "\n" not in line


def test_unknown_campaigns_and_ids(ledger: Ledger) -> None:
    book = GuidanceBook(ledger)
    with pytest.raises(NotFoundError, match="no campaign"):
        book.give("smal-1", "explore")
    with pytest.raises(NotFoundError, match="no campaign"):
        book.receipts("smal-1")
    with pytest.raises(NotFoundError, match="no guidance 'g1'"):
        book.drop("small-1", "g1")
    book.give("small-1", "explore")
    with pytest.raises(NotFoundError, match="no guidance 'g11'"):
        book.drop("small-1", "g11")


def test_a_receipt_goes_from_queued_to_used_with_what_it_brought(ledger: Ledger) -> None:
    book = GuidanceBook(ledger)
    said = book.give("small-1", "keep lr below 0.01")

    def status() -> str:
        return book.receipts("small-1")[0].status

    assert status() == "queued"
    meant = said.model_copy(update={"meanings": (Meaning(kind="bound", target="parameter", name="lr", high=0.01),)})
    ledger.append(GuidanceDelivered(campaign_id="small-1", cycle=2, guidance=meant, node="director"))
    assert status() == "delivered"
    ledger.append(GuidanceUnused(campaign_id="small-1", cycle=2, guidance_id="g1", why="untouched", reason="nobody"))
    assert status() == "unused"
    change = GuidanceChange(proposal_id="p-1", name="lr", before=0.5, after=0.01, what="lr 0.5 → 0.01")
    ledger.append(
        GuidanceUsed(
            campaign_id="small-1", cycle=3, guidance_id="g1", node="proposer", proposals=("p-1",), changes=(change,)
        )
    )
    for proposal, score in (("p-1", 0.9), ("p-2", 0.5), ("p-3", 0.7)):
        outcome = Outcome(
            job_id=f"j{proposal}", proposal_id=proposal, status="ok", config={"lr": 0.01}, seed=0, metrics={}
        )
        ledger.append(
            JobFinished(campaign_id="small-1", cycle=3, purpose="proposal", outcome=outcome, score=score),
        )
    ledger.append(BestImproved(campaign_id="small-1", cycle=3, proposal_id="p-1", score=0.9, previous=0.1))
    receipt = book.receipts("small-1")[0]
    assert receipt.status == "used"
    assert (receipt.cycle, receipt.node, receipt.proposals, receipt.changes) == (2, "director", ("p-1",), (change,))
    assert receipt.notes == ("cycle 2: nobody",)
    assert receipt.payoff is not None
    assert receipt.payoff.cited_mean == pytest.approx(0.9)
    assert receipt.payoff.others_mean == pytest.approx(0.6)
    assert receipt.payoff.became_best == ("p-1",)
    book.drop("small-1", "g1")
    book.drop("small-1", "g1")
    assert status() == "dropped"
    assert book.dropped("small-1") == {"g1"}


def test_its_events_come_back_from_json(ledger: Ledger) -> None:
    book = GuidanceBook(ledger)
    book.give("small-1", "explore")
    book.drop("small-1", "g1", author="ada", door="mcp")
    for event in ledger.events("small-1"):
        assert parse_event(event.model_dump_json()) == event
